/* From a node to its neighbours: what there is, by kind, before anything is brought; a filter where there is too much. */
(function () {
  'use strict';
  const RR = window.RR;
  const DAY = 86400000, TWICE = 450, CAP = 1500;
  let counted = new Map(), asking = 0;

  /* Expanding ----------------------------------------------------------------------------------------------- */

  RR.expand = async function (id, wish) {
    const cy = RR.cy(), node = cy && cy.getElementById(id);
    if (!cy || !node.length || node.data('fold')) return;
    if (node.hasClass('gone')) return RR.say(RR.word('not known then'));
    if (cy.elements().length > CAP) return RR.say(RR.word('full', {count: RR.number(cy.elements().length)}));
    let delta;
    try { delta = await RR.ask('expand', Object.assign({id: id}, wish)); } catch (_) { return; }
    counted.set(id, delta.counts);
    if (delta.guarded) return RR.filterFor(id, delta);
    const {added} = RR.addDelta(delta, {name: RR.word('expansion', {label: name(node)})});
    told(node, delta, added);
    bar();
  };

  function told(node, delta, added) {
    const left = hidden(node);
    const more = left > 0 && delta.matching > 0 ? {text: RR.word('choose'), run: () => RR.filterFor(node.id(), delta)} : null;
    if (!added) return RR.say(RR.word(delta.matching ? 'all shown' : 'none such', {label: name(node)}), more);
    let text = RR.word('shown of', {shown: RR.number(added), total: RR.number(delta.matching), label: name(node)});
    if (delta.weighed < delta.matching) text += ' ' + RR.word('of the newest', {count: RR.number(delta.weighed)});
    RR.say(text, more);
  }
  function name(node) { return String(node.data('label')).split('\n')[0]; }

  /* Links that are not on the canvas. */
  function hidden(node) {
    const folded = RR.linksInFolds(node.id());
    const shown = node.connectedEdges().filter(e => !e.data('foldEdge') && !e.data('alike') && !e.hasClass('gone')).length;
    return Math.max(0, (node.data('links') || 0) - shown - folded);
  }
  RR.hiddenLinks = hidden;

  /* A tap and two taps: cytoscape's own double tap gives up on a slow page. */
  RR.hooks.push(cy => {
    counted = new Map();
    let last = {id: null, at: 0};
    cy.on('tap', 'node', e => {
      const at = (e.originalEvent && e.originalEvent.timeStamp) || e.timeStamp, id = e.target.id();
      if (e.target.data('fold')) { last = {id: null, at: 0}; return RR.unfold(id); }
      if (last.id === id && at - last.at < TWICE) { last = {id: null, at: 0}; RR.expand(id); }
      else last = {id: id, at: at};
    });
  });

  /* The bar with what a chosen node's neighbours are ----------------------------------------------------------- */

  RR.onChange(kind => { if (kind === 'selected' || kind === 'elements' || kind === 'folded') bar(); if (kind === 'opened') counted = new Map(); });

  async function bar() {
    const cy = RR.cy(), place = RR.el('canvas-bar');
    if (!place || !cy) return;
    const chosen = cy.nodes(':selected').not('.gone').filter(n => !n.data('fold'));
    if (chosen.length !== 1) { place.hidden = true; return; }
    const node = chosen[0], id = node.id();
    if (!counted.has(id)) {
      draw(place, node, null);
      const mine = ++asking;
      await new Promise(done => setTimeout(done, 140));
      if (mine !== asking || counted.has(id)) return;
      try { counted.set(id, (await RR.ask('counts', {id: id})).counts); } catch (_) { place.hidden = true; return; }
      if (cy.destroyed() || !node.selected()) return;
    }
    draw(place, node, counted.get(id));
  }

  function draw(place, node, counts) {
    const id = node.id(), row = document.createElement('div');
    place.hidden = false;
    place.replaceChildren();
    const title = document.createElement('span');
    title.className = 'canvas-bar-title';
    const text = document.createElement('span');
    text.textContent = name(node);
    title.append(RR.dot(node.data('type')), text);
    place.append(title, row);
    row.className = 'canvas-chips';
    if (!counts) return;
    const kinds = byType(node, counts).filter(one => one.shown < one.total);
    if (!kinds.length) { row.textContent = RR.word('all here'); return; }
    kinds.forEach(one => {
      const chip = document.createElement('button'), number = document.createElement('b');
      chip.type = 'button';
      chip.className = 'canvas-chip';
      chip.title = one.says.join(' · ');
      chip.setAttribute('aria-label', RR.word('chip', {type: one.typeSays, shown: RR.number(one.shown), total: RR.number(one.total)}));
      number.textContent = one.shown ? RR.number(one.shown) + '/' + RR.number(one.total) : RR.number(one.total);
      chip.append(RR.dot(one.type), document.createTextNode(one.typeSays), number);
      chip.addEventListener('click', () => RR.expand(id, {types: [one.type]}));
      row.append(chip);
    });
    const choose = document.createElement('button');
    choose.type = 'button';
    choose.className = 'canvas-chip canvas-chip-more';
    choose.textContent = RR.word('choose');
    choose.addEventListener('click', () => RR.filterFor(id, {counts: counts}));
    row.append(choose);
  }
  /* Kinds of neighbours of which some are not shown, the most first. */
  RR.kinds = async function (node) {
    const id = node.id();
    if (!counted.has(id)) {
      try { counted.set(id, (await RR.ask('counts', {id: id})).counts); } catch (_) { return []; }
    }
    return byType(node, counted.get(id)).filter(one => one.shown < one.total);
  };

  function byType(node, counts) {
    const shown = shownBy(node), found = new Map();
    counts.forEach(one => {
      const kind = found.get(one.type) || {type: one.type, typeSays: one.typeSays, says: [], shown: 0, total: 0};
      kind.says.push(one.says + ' ' + RR.number(one.total));
      kind.shown += Math.min(one.total, shown[one.relation + one.outgoing] || 0);
      kind.total += one.total;
      found.set(one.type, kind);
    });
    return [...found.values()].sort((a, b) => b.total - a.total);
  }
  function shownBy(node) {
    const found = {}, id = node.id();
    const count = (relation, outgoing) => { found[relation + outgoing] = (found[relation + outgoing] || 0) + 1; };
    node.connectedEdges().filter(e => !e.data('foldEdge') && !e.data('alike') && !e.hasClass('gone')).forEach(e => count(e.data('relation'), e.source().id() === id));
    RR.edgesInFolds(id).forEach(e => count(e.data.relation, e.data.source === id));
    return found;
  }

  RR.dot = function (type) {
    const dot = document.createElement('span'), swatch = document.querySelector('.canvas-legend-item[data-type="' + type + '"] .canvas-swatch');
    dot.className = 'canvas-dot';
    if (swatch) dot.style.background = swatch.style.background;
    dot.setAttribute('aria-hidden', 'true');
    return dot;
  };

  /* The filter ------------------------------------------------------------------------------------------------ */

  RR.filterFor = async function (id, delta, relation) {
    const cy = RR.cy(), dialog = RR.el('canvas-filter'), node = cy && cy.getElementById(id);
    if (!dialog || !node || !node.length) return;
    let counts = delta && delta.counts;
    if (!counts) { try { counts = (await RR.ask('counts', {id: id})).counts; } catch (_) { return; } counted.set(id, counts); }
    const total = counts.reduce((sum, one) => sum + one.total, 0);
    dialog.querySelector('h2').textContent = RR.word('neighbours of', {label: name(node), total: RR.number(total)});
    dialog.querySelector('.canvas-guard').hidden = !(delta && delta.guarded);
    const kinds = dialog.querySelector('.canvas-kinds');
    kinds.replaceChildren(...counts.map(one => {
      const label = document.createElement('label'), box = document.createElement('input');
      box.type = 'checkbox';
      box.value = one.relation;
      box.checked = !relation || one.relation === relation;
      label.append(box, RR.dot(one.type), document.createTextNode(one.typeSays + ' · ' + one.says + ' '));
      const number = document.createElement('b');
      number.textContent = RR.number(one.total);
      label.append(number);
      return label;
    }));
    dialog.returnValue = '';
    dialog.onclose = () => {
      if (dialog.returnValue !== 'expand') return;
      const chosen = [...kinds.querySelectorAll('input:checked')].map(box => box.value);
      RR.expand(id, Object.assign({relations: chosen.length ? chosen : counts.map(one => one.relation)}, read(dialog)));
    };
    dialog.showModal();
  };

  function read(dialog) {
    const wish = {rank: dialog.querySelector('[name=rank]').value, cap: Number(dialog.querySelector('[name=cap]').value)};
    const period = dialog.querySelector('[name=period]').value;
    const end = RR.state.asOf ? Date.parse(RR.state.asOf) : Date.now();
    if (period === 'brush' && RR.state.range) { wish.since = RR.state.range[0]; wish.until = RR.state.range[1]; }
    else if (Number(period)) wish.since = end - Number(period) * DAY;
    return wish;
  }
})();
