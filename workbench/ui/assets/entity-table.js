/* The table of what is on the graph: filled from the graph itself, chosen in both, sorted and filtered without a server. */
(function () {
  'use strict';
  const RR = window.RR;
  let words = null, place = null, grid = null, timer = null, quiet = false;

  const box = () => document.getElementById('entity-table-box');
  const isOpen = () => { const one = box(); return Boolean(one && !one.hidden); };

  /* The grid of this page; another page has another. */
  function api() {
    const one = box();
    if (!one || !window.dash_ag_grid) return null;
    if (place !== one) { place = one; grid = null; words = JSON.parse(one.dataset.words); }
    if (grid && !grid.isDestroyed()) return grid;
    try { grid = window.dash_ag_grid.getApi('entity-table') || null; } catch (_) { grid = null; }
    if (grid) adopt();
    return grid;
  }
  function adopt() {
    grid.addEventListener('selectionChanged', e => {
      if (quiet || (e.source && e.source.indexOf('api') === 0)) return;
      RR.select(grid.getSelectedNodes().map(node => node.id));
    });
    grid.addEventListener('rowDoubleClicked', e => show(e.data.id));
    grid.addEventListener('cellKeyDown', e => { if (e.event.key === 'Enter') show(e.data.id); });
    grid.addEventListener('modelUpdated', count);
    grid.addEventListener('rowDataUpdated', () => setTimeout(chosen, 40));  // Dash lets go of what was chosen
    const root = box().querySelector('.ag-root-wrapper');
    if (root) root.setAttribute('aria-label', words.region);
  }
  function show(id) { window.dash_clientside.set_props('focus', {data: {id: id, ts: Date.now()}}); }

  /* Rows ---------------------------------------------------------------------------------------------------- */

  function row(fact, cy) {
    const type = words.types[fact.type] || [fact.type, '#868e96'], label = String(fact.label).split('\n');
    const marks = [label[1], fact.state && words[fact.state], fact.infraSays && words.infra.replace('{kind}', fact.infraSays),
      fact.fresh && words.fresh, fact.pin && words.pin, fact.hidden && words.hidden];
    const node = cy.getElementById(fact.id);
    return {
      id: fact.id, type: fact.type, said: type[0], colour: type[1], name: label[0], sub: fact.sub || '', score: fact.score === undefined ? null : fact.score,
      state: marks.filter(Boolean).join(' · '), held: fact.held || null, links: fact.links, amount: fact.amount === undefined ? null : fact.amount,
      shown: node.length ? node.connectedEdges().not('.gone').filter(e => !e.data('foldEdge')).length : RR.edgesInFolds(fact.id).length, known: fact.known,
    };
  }
  function fill() {
    const cy = RR.cy(), one = cy && isOpen() && api();
    if (!one) return;
    one.setGridOption('rowData', RR.facts().map(fact => row(fact, cy)));
    chosen();
    count();
  }
  function soon() { clearTimeout(timer); if (isOpen()) timer = setTimeout(() => { if (api()) fill(); else soon(); }, 90); }

  function chosen() {
    const one = isOpen() && api();
    if (!one) return;
    const ids = RR.selected(), wanted = new Set(ids);
    quiet = true;
    one.forEachNode(node => { if (node.isSelected() !== wanted.has(node.id)) node.setSelected(wanted.has(node.id), false, 'api'); });
    quiet = false;
    const last = ids.length ? one.getRowNode(ids[ids.length - 1]) : null;
    if (last && last.displayed) one.ensureNodeVisible(last);
  }
  function count() {
    const at = document.getElementById('entity-table-count');
    if (!at || !grid) return;
    const total = RR.facts().length, shown = grid.getDisplayedRowCount();
    const text = (shown === total ? words.all : words.count.replace('{count}', shown)).replace('{total}', total);
    if (at.textContent !== text) at.textContent = text;
  }

  RR.onChange(kind => { if (kind === 'selected') chosen(); else if (kind !== 'lit') soon(); });

  /* Opening and closing -------------------------------------------------------------------------------------- */

  function toggle() {
    const one = box();
    if (!one) return;
    const keep = steady();
    one.hidden = !one.hidden;
    requestAnimationFrame(() => requestAnimationFrame(keep));
    document.querySelectorAll('.canvas-tools [data-etab=toggle]').forEach(button => button.setAttribute('aria-expanded', String(!one.hidden)));
    if (!one.hidden) soon();
    else { const back = document.querySelector('.canvas-tools [data-etab=toggle]'); if (back && one.contains(document.activeElement)) back.focus(); }
  }
  /* The graph loses height: what was all in view stays so, else the middle stays the middle. */
  function steady() {
    const cy = RR.cy();
    if (!cy || !cy.nodes().length) return () => {};
    const seen = cy.extent(), all = cy.nodes(':visible').boundingBox({includeLabels: false}), high = cy.height();
    const whole = all.x1 >= seen.x1 && all.x2 <= seen.x2 && all.y1 >= seen.y1 && all.y2 <= seen.y2;
    return () => { cy.resize(); if (whole) RR.fit(); else cy.panBy({x: 0, y: (cy.height() - high) / 2}); };
  }
  RR.addKey('t', toggle);
  document.addEventListener('click', e => {
    const button = e.target.closest && e.target.closest('[data-etab]');
    if (!button) return;
    if (button.dataset.etab === 'toggle') return toggle();
    save(button.dataset.etab);
  });
  document.addEventListener('input', e => {
    if (e.target.id === 'entity-table-find' && api()) grid.setGridOption('quickFilterText', e.target.value);
  });

  /* In the order in which it stands; the server makes the file, masked, and writes down who took it. */
  function save(kind) {
    const one = api(), ids = [];
    if (!one) return;
    one.forEachNodeAfterFilterAndSort(node => ids.push(node.id));
    const subject = RR.subject();
    window.dash_clientside.set_props('export-table-req', {data: {kind: kind, ids: ids, as_of: RR.state.asOf, subject: subject, ts: Date.now()}});
  }

  /* How figures look ------------------------------------------------------------------------------------------ */

  const two = n => String(n).padStart(2, '0');
  window.dashAgGridFunctions = Object.assign(window.dashAgGridFunctions || {}, {entityTable: {
    score: params => (params.value === null || params.value === undefined ? '' : params.value.toFixed(2)),
    money: params => (params.value === null || params.value === undefined ? '' : '¥' + Math.round(params.value).toLocaleString('en-US')),
    day: params => {
      if (!(params.value > 0)) return '';
      const at = new Date(params.value + 8 * 3600000);
      return at.getUTCFullYear() + '-' + two(at.getUTCMonth() + 1) + '-' + two(at.getUTCDate());
    },
  }});
  const cells = window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {};
  cells.EntityType = props => (props.data ? window.React.createElement('span', {className: 'etab-type'},
    window.React.createElement('i', {className: 'rr-dot', style: {background: props.data.colour}, 'aria-hidden': true}), props.data.said) : '');
})();
