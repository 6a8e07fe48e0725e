/* Where things stand. The same graph gets the same picture each time: chance is seeded by what is open. */
(function () {
  'use strict';
  const RR = window.RR;
  const DRAFT_FROM = 90, ANIMATED_UP_TO = 500, APART = 46;

  const OPTIONS = {
    fcose: {name: 'fcose', quality: 'default', animate: false, randomize: false, fit: false, packComponents: false,
      nodeRepulsion: 6500, idealEdgeLength: 64, nodeSeparation: 76, gravity: .4, gravityRange: 3, numIter: 1600, tile: true},
    dagre: {name: 'dagre', animate: false, fit: false, rankDir: 'TB', nodeSep: 26, rankSep: 110},
    klay: {name: 'klay', animate: false, fit: false, klay: {direction: 'DOWN', spacing: 30, compactComponents: true}},
    concentric: {name: 'concentric', animate: false, fit: false, minNodeSpacing: 16, levelWidth: () => 1,
      concentric: n => (n.data('member') ? 3 : n.data('type') === 'Person' ? 2 : n.data('held') ? 4 : 1)},
  };

  /* Mulberry32, from a text. */
  function seeded(text) {
    let a = 2166136261;
    for (const each of text) a = Math.imul(a ^ each.codePointAt(0), 16777619);
    return function () {
      a = a + 0x6D2B79F5 | 0;
      let t = Math.imul(a ^ a >>> 15, 1 | a);
      t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
      return ((t ^ t >>> 14) >>> 0) / 4294967296;
    };
  }
  /* fcose asks Math.random while it runs, which is at once: nobody else does meanwhile. */
  function deterministic(run) {
    const subject = RR.state.subject, chance = Math.random;
    Math.random = seeded(subject ? subject.kind + subject.name : 'ringroad');
    try { return run(); } finally { Math.random = chance; }
  }

  RR.fit = function (elements, ms) {
    const cy = RR.cy();
    if (!cy) return;
    const what = elements && elements.length ? elements : cy.elements(':visible').not('.gone');
    if (!what.length) return;
    cy.stop(true);
    const box = {eles: what, padding: 34};
    if (RR.calm() || ms === 0) { cy.fit(what, 34); near(cy); }
    else cy.animate({fit: box, duration: ms || 240, complete: () => near(cy)});
  };
  /* Three nodes do not fill a screen. */
  function near(cy) { if (cy.zoom() > 1.35) { cy.zoom(1.35); cy.center(cy.elements(':visible')); } }

  function laid(cy) { return cy.elements(':visible').not('.gone'); }

  /* First a draft that can be looked at, then better. */
  RR.layoutFirst = function () {
    const cy = RR.cy(), all = laid(cy), fixed = pinned(cy);
    RR.state.laid = !all.length;
    if (!all.length) return RR.drawn();
    spiral(all.nodes());
    const large = all.length > DRAFT_FROM, began = RR.state.opening;
    deterministic(() => all.layout(Object.assign({}, OPTIONS.fcose, roomy(all), {quality: large ? 'draft' : 'default', randomize: true})).run());
    fixed.forEach(one => one.node.position(one.at));
    airy(all.nodes(), new Set(fixed.map(one => one.node.id())));
    if (!large) pack(cy);
    spread(all.nodes(), new Set(fixed.map(one => one.node.id())), large ? 3 : 6);
    RR.fit(all, 0);
    RR.after(() => {
      window.performance.mark('rr-painted');
      RR.drawn();
      if (!large) RR.state.laid = true;
      else idle(() => {
        if (RR.state.opening !== began || cy.destroyed()) return;
        if (!RR.state.touched) refine(cy);
        RR.state.laid = true;
      });
    });
  };

  function refine(cy) {
    const all = laid(cy), before = new Map(all.nodes().map(n => [n.id(), Object.assign({}, n.position())]));
    run(cy, all, OPTIONS.fcose);
    airy(all.nodes(), new Set(pinned(cy).map(one => one.node.id())));
    pack(cy);
    spread(all.nodes(), new Set(pinned(cy).map(one => one.node.id())), all.length > 900 ? 8 : 6);
    glide(cy, all, before);
  }

  /* A whole layout asked for by name. Pinned nodes stay. */
  RR.layout = function (name) {
    const cy = RR.cy();
    if (!cy || !cy.nodes().length) return;
    const all = laid(cy), before = new Map(all.nodes().map(n => [n.id(), Object.assign({}, n.position())]));
    const after = new Map();
    const arrange = () => { run(cy, all, OPTIONS[name] || OPTIONS.fcose); if (name === 'fcose') { pack(cy); spread(all.nodes(), new Set(), 5); } };
    RR.step({
      name: RR.word('layout'),
      redo: () => {
        if (after.size) all.nodes().forEach(n => n.position(after.get(n.id())));
        else { arrange(); all.nodes().forEach(n => after.set(n.id(), Object.assign({}, n.position()))); glide(cy, all, before); }
        RR.changed('moved');
      },
      undo: () => { all.nodes().forEach(n => n.inside() && n.position(before.get(n.id()))); RR.fit(); RR.changed('moved'); },
    });
  };

  function run(cy, all, options) {
    const fixed = pinned(cy), more = options.name === 'fcose' ? roomy(all) : {};
    if (options.name === 'fcose' && fixed.length) more.fixedNodeConstraint = fixed.map(one => ({nodeId: one.node.id(), position: one.at}));
    fixed.forEach(one => one.node.lock());
    deterministic(() => all.layout(Object.assign({}, options, more)).run());
    fixed.forEach(one => { one.node.unlock(); one.node.position(one.at); });
  }
  function pinned(cy) {
    return cy.nodes('[pin]').filter(n => n.visible()).map(node => ({node, at: Object.assign({}, node.position())}));
  }

  /* From where they were to where they are now. */
  function glide(cy, all, before) {
    if (RR.calm() || all.length > ANIMATED_UP_TO) { RR.fit(all, 0); return RR.changed('moved'); }
    const after = new Map(all.nodes().map(n => [n.id(), Object.assign({}, n.position())]));
    cy.batch(() => all.nodes().forEach(n => n.position(before.get(n.id()))));
    all.nodes().forEach(n => n.animate({position: after.get(n.id()), duration: 320, easing: 'ease-in-out-cubic'}));
    const box = bounds([...after.values()]);
    const zoom = Math.min(1.35, Math.min((cy.width() - 68) / (box.w + 60), (cy.height() - 68) / (box.h + 80)));
    cy.animate({zoom, pan: {x: cy.width() / 2 - zoom * box.x, y: cy.height() / 2 - zoom * box.y}, duration: 320});
    setTimeout(() => RR.changed('moved'), 340);
  }
  function bounds(points) {
    const xs = points.map(p => p.x), ys = points.map(p => p.y);
    const x1 = Math.min(...xs), x2 = Math.max(...xs), y1 = Math.min(...ys), y2 = Math.max(...ys);
    return {x: (x1 + x2) / 2, y: (y1 + y2) / 2, w: x2 - x1 || 1, h: y2 - y1 || 1};
  }

  /* Where all hang on a few, the links are longer: the few need room between them. */
  function roomy(all) {
    const links = 2 * all.edges().length / Math.max(1, all.nodes().length);
    return {idealEdgeLength: OPTIONS.fcose.idealEdgeLength + 13 * Math.max(0, Math.min(5, links - 2.6))};
  }

  /* A picture that is too small for its nodes grows. */
  function airy(nodes, still) {
    if (still.size || nodes.length < 12) return;
    const box = bounds(nodes.map(n => n.position())), need = nodes.length * 74 * 74, has = box.w * box.h;
    if (has >= need) return;
    const by = Math.min(4, Math.sqrt(need / has));
    nodes.cy().batch(() => nodes.forEach(n => { const p = n.position(); n.position({x: box.x + (p.x - box.x) * by, y: box.y + (p.y - box.y) * by}); }));
  }

  function spiral(nodes) {
    nodes.cy().batch(() => nodes.forEach((n, i) => {
      const a = i * 2.399963, r = 26 * Math.sqrt(i + 1);
      n.position({x: r * Math.cos(a), y: r * Math.sin(a)});
    }));
  }

  /* Parts that hang on nothing stand in rows under the largest. */
  function pack(cy) {
    const parts = laid(cy).components().filter(part => part.nodes().length);
    if (parts.length < 2) return;
    parts.sort((a, b) => b.nodes().length - a.nodes().length || (a.nodes()[0].id() < b.nodes()[0].id() ? -1 : 1));
    const main = parts[0].boundingBox({includeLabels: false}), width = Math.max(main.w, 420);
    let x = main.x1, y = main.y2 + 70, row = 0;
    parts.slice(1).forEach(part => {
      if (part.nodes('[pin]').length) return;
      const box = part.boundingBox({includeLabels: false});
      if (x > main.x1 && x + box.w > main.x1 + width) { x = main.x1; y += row + 60; row = 0; }
      part.nodes().forEach(n => { const p = n.position(); n.position({x: p.x - box.x1 + x, y: p.y - box.y1 + y}); });
      x += box.w + 60;
      row = Math.max(row, box.h);
    });
  }

  /* Nodes that lie on each other move apart; `still` ones do not move at all. */
  function spread(nodes, still, rounds) {
    const list = nodes.map(n => ({n, x: n.position('x'), y: n.position('y'), r: n.width() / 2, still: still.has(n.id())}));
    for (let round = 0; round < rounds; round++) {
      const cells = new Map(), size = 64;
      list.forEach(one => { const key = Math.floor(one.x / size) + ',' + Math.floor(one.y / size); (cells.get(key) || cells.set(key, []).get(key)).push(one); });
      let moved = false;
      list.forEach(one => {
        if (one.still) return;
        const cx = Math.floor(one.x / size), cy = Math.floor(one.y / size);
        for (let dx = -1; dx <= 1; dx++) for (let dy = -1; dy <= 1; dy++) {
          (cells.get((cx + dx) + ',' + (cy + dy)) || []).forEach(other => {
            if (other === one) return;
            let x = one.x - other.x, y = one.y - other.y, d = Math.hypot(x, y);
            const least = one.r + other.r + APART - 34;
            if (d >= least) return;
            if (d < .01) { x = one.n.id() < other.n.id() ? 1 : -1; y = .7; d = 1.22; }
            const push = (least - d) * (other.still ? 1 : .55);
            one.x += x / d * push;
            one.y += y / d * push;
            moved = true;
          });
        }
      });
      if (!moved) break;
    }
    nodes.cy().batch(() => list.forEach(one => { if (!one.still) one.n.position({x: one.x, y: one.y}); }));
  }

  function idle(fn) {
    if (window.requestIdleCallback) window.requestIdleCallback(fn, {timeout: 700}); else setTimeout(fn, 200);
  }
  RR.after = fn => requestAnimationFrame(() => setTimeout(fn, 0));
  Object.assign(RR, {spread, bounds, deterministic, fcose: OPTIONS.fcose});
})();
