/* What is lit: by a panel, by a path, by a pointer that rests. The rest is dimmed, and never stays so by accident. */
(function () {
  'use strict';
  const RR = window.RR;
  const DIMMED_UP_TO = 900, REST = 90;
  let lit = false, first = null;

  RR.lightOff = function () {
    const cy = RR.cy();
    lit = false;
    first = null;
    if (cy) cy.batch(() => cy.elements().removeClass('dim lit way hot'));
    RR.changed('lit');
  };
  RR.isLit = () => lit;

  RR.light = function (nodes, edges, options) {
    const cy = RR.cy();
    if (!cy) return {missing: []};
    RR.lightOff();
    if (!(nodes && nodes.length) && !(edges && edges.length)) return {missing: []};
    const ids = new Set(nodes || []), ways = new Set((edges || []).filter(Array.isArray).map(e => e.join('~')));
    const named = new Set((edges || []).filter(e => !Array.isArray(e)));
    [...ids].forEach(id => { if (RR.inFold(id)) RR.openFoldOf(id); });
    const missing = [...ids].filter(id => !cy.getElementById(id).length);
    const chosen = cy.edges().filter(e => named.has(e.id()) || ways.has([e.data('relation'), e.data('source'), e.data('target')].join('~')));
    const all = cy.nodes().filter(n => ids.has(n.id())).union(chosen).union(chosen.connectedNodes());
    lit = all.length > 0;
    if (lit) cy.batch(() => { cy.elements().not(all).addClass('dim'); all.addClass('lit'); all.removeClass('off'); if (options && options.way) chosen.addClass('way'); });
    if (lit && outside(cy, all)) RR.fit(all, 260);
    RR.changed('lit');
    return {missing: missing};
  };
  function outside(cy, all) {
    const box = cy.extent();
    return all.nodes().some(n => { const p = n.position(); return p.x < box.x1 || p.x > box.x2 || p.y < box.y1 || p.y > box.y2; });
  }

  /* The HIGHLIGHT store. */
  RR.lightWhat = function (what) {
    if (!what) return RR.cy() && RR.lightOff();
    const {missing} = RR.light(what.nodes, what.edges);
    if (missing.length) {
      RR.say(RR.word('not shown', {count: missing.length}), {text: RR.word('show them'), run: async () => { await RR.show(missing); RR.light(what.nodes, what.edges); }});
    }
  };

  /* A way between two nodes: on the canvas first, else asked. Hubs and infrastructure join everybody with everybody. */
  RR.path = async function () {
    const cy = RR.cy();
    if (!cy) return;
    if (lit) { RR.say(''); return RR.lightOff(); }
    const chosen = RR.selected();
    if (chosen.length === 1) { first = chosen[0]; return RR.say(RR.word('second end')); }
    if (chosen.length !== 2) return RR.say(RR.word('two ends'));
    await between(cy, chosen[0], chosen[1]);
  };
  async function between(cy, a, b) {
    const open = cy.elements(':visible').not('.gone').filter(e => !e.data('foldEdge') && !e.data('innocent'));
    const ends = new Set([a, b]), aside = new Set(['Dealer', 'Salesperson', 'Reviewer', 'Region', 'Institution']);
    const closed = n => !ends.has(n.id()) && (n.data('infra') || aside.has(n.data('type')) || (n.data('links') || 0) > 200);
    const found = open.aStar({
      root: cy.getElementById(a), goal: cy.getElementById(b),
      weight: e => (closed(e.source()) || closed(e.target()) ? 1000 : 1),
    });
    if (found.found && found.distance < 1000) {
      RR.light(found.path.nodes().map(n => n.id()), found.path.edges().map(e => e.id()), {way: true});
      return RR.say(RR.word('path of', {count: found.path.edges().length}));
    }
    let delta;
    try { delta = await RR.ask('path', {a: a, b: b}); } catch (_) { return; }
    if (!delta.nodes.length) return RR.say(RR.word(delta.gave_up ? 'path given up' : 'no path'));
    RR.addDelta(delta, {name: RR.word('path'), quiet: true});
    RR.light(delta.nodes, delta.edges, {way: true});
    RR.say(RR.word('path of', {count: delta.edges.length}));
  }

  /* A resting pointer ----------------------------------------------------------------------------------------- */

  let resting = null;
  function clear(cy) {
    clearTimeout(resting);
    card(null);
    if (!lit) cy.batch(() => cy.elements('.dim, .hot').removeClass('dim hot'));
  }
  RR.hooks.push(cy => {
    lit = false;
    cy.on('mouseover', 'node', e => {
      const node = e.target;
      clearTimeout(resting);
      resting = setTimeout(() => {
        if (cy.destroyed() || !node.inside()) return;
        card(node);
        if (lit || node.hasClass('gone')) return;
        const near = node.closedNeighborhood();
        cy.batch(() => {
          cy.elements('.hot').removeClass('hot');
          if (cy.elements().length <= DIMMED_UP_TO) { cy.elements().not(near).addClass('dim'); near.removeClass('dim'); }
          near.addClass('hot');
        });
      }, REST);
    });
    cy.on('mouseout', 'node', () => clear(cy));
    cy.on('grab pan zoom', () => card(null));
    cy.on('tap', e => { if (e.target === cy && lit) { RR.say(''); RR.lightOff(); } });
    cy.on('tap', 'node', e => {
      if (!first || e.target.id() === first || e.target.data('fold')) return;
      const from = first, to = e.target.id();
      first = null;
      setTimeout(() => { RR.select([from, to]); between(cy, from, to); }, 0);
    });
    cy.container().addEventListener('mouseleave', () => clear(cy));
    window.addEventListener('blur', () => { if (!cy.destroyed()) clear(cy); });
  });

  /* What is known of the node under the pointer. */
  function card(node) {
    const place = RR.el('canvas-card');
    if (!place) return;
    place.hidden = !node;
    if (!node) return;
    const d = node.data(), lines = [];
    const type = document.querySelector('.canvas-legend-item[data-type="' + d.type + '"] .canvas-legend-name');
    const typeSays = type ? type.textContent : d.type;
    const add = (text, kind) => { const line = document.createElement('div'); line.textContent = text; if (kind) line.className = kind; lines.push(line); };
    add(d.fold ? RR.word('fold card', {count: d.count, type: typeSays}) : String(d.label).split('\n')[0], 'canvas-card-title');
    if (!d.fold) {
      add(d.sub ? typeSays + ' · ' + d.sub : typeSays, 'canvas-card-soft');
      if (String(d.label).includes('\n')) add(String(d.label).split('\n')[1], 'canvas-card-role');
      if (d.score !== undefined) add(RR.word('score', {score: d.score.toFixed(2)}));
      if (d.amount) add(RR.word('amount', {amount: RR.number(Math.round(d.amount))}));
      if (d.state) add(RR.word('state ' + d.state), 'canvas-card-' + d.state);
      if (d.held) add(RR.word('held', {count: d.held}));
      if (d.infra) add(RR.word('infra', {kind: d.infraSays}), 'canvas-card-soft');
      const more = RR.hiddenLinks(node);
      if (more) add(RR.word('more links', {count: RR.number(more)}), 'canvas-card-soft');
      if (d.known) add(RR.word('known since', {day: new Date(d.known + 28800000).toISOString().slice(0, 10)}), 'canvas-card-soft');
    }
    place.replaceChildren(...lines);
    const at = node.renderedPosition(), cy = node.cy(), wide = place.offsetWidth, high = place.offsetHeight, gap = node.renderedOuterWidth() / 2 + 12;
    const left = at.x + gap + wide < cy.width() ? at.x + gap : Math.max(4, at.x - gap - wide);
    place.style.left = left + 'px';
    place.style.top = Math.max(4, Math.min(cy.height() - high - 4, at.y - high / 2)) + 'px';
  }
})();
