/* Leaves of one type that hang on one node become one counted node. Pinned, chosen and marked ones stay. */
(function () {
  'use strict';
  const RR = window.RR;
  const LEAST = 4;
  const folds = new Map();  // id of the fold -> {id, hub, type, gone: removed elements}

  const name = (hub, type) => 'fold~' + type + '~' + hub;

  function groups(cy) {
    const found = new Map();
    cy.nodes(':visible').forEach(n => {
      if (n.data('fold') || n.data('pin') || n.data('role') || n.data('state') === 'fraud' || n.selected() || n.hasClass('gone') || n.hasClass('lit')) return;
      const near = n.neighborhood('node').not('.gone');
      if (near.length !== 1 || near[0].data('fold')) return;
      const key = name(near[0].id(), n.data('type'));
      if (!found.has(key)) found.set(key, {hub: near[0].id(), type: n.data('type'), leaves: []});
      found.get(key).leaves.push(n.id());
    });
    return [...found.values()].filter(one => one.leaves.length >= LEAST);
  }

  function fold(cy, one) {
    const id = name(one.hub, one.type), wanted = new Set(one.leaves);
    if (folds.has(id) || !cy.getElementById(one.hub).length) return null;
    const leaves = cy.nodes().filter(n => wanted.has(n.id()));
    if (leaves.length < 2) return null;
    const box = leaves.map(n => n.position());
    const at = {x: box.reduce((s, p) => s + p.x, 0) / box.length, y: box.reduce((s, p) => s + p.y, 0) / box.length};
    const hub = cy.getElementById(one.hub).position();
    if (Math.hypot(at.x - hub.x, at.y - hub.y) < 40) { at.x = box[0].x; at.y = box[0].y; }
    let gone = null;
    cy.batch(() => {
      gone = leaves.union(leaves.connectedEdges()).remove();
      cy.add({data: {id: id, fold: 1, type: one.type, count: leaves.length, label: '×' + leaves.length}, position: at});
      cy.add({data: {id: 'foldedge~' + id, foldEdge: 1, source: one.hub, target: id, says: ''}});
    });
    folds.set(id, {id: id, hub: one.hub, type: one.type, gone: gone});
    return id;
  }
  function open(cy, id) {
    const one = folds.get(id);
    if (!one) return cy.collection();
    folds.delete(id);
    let back = cy.collection();
    cy.batch(() => {
      cy.getElementById(id).remove();
      back = one.gone.nodes().restore();
      one.gone.edges().filter(e => cy.getElementById(e.data('source')).length && cy.getElementById(e.data('target')).length).restore();
    });
    return back;
  }

  RR.foldAll = function (silent) {
    const cy = RR.cy(), found = cy ? groups(cy) : [];
    if (!found.length) { if (!silent) RR.say(RR.word('nothing to fold', {count: LEAST})); return 0; }
    let made = [];
    const act = () => { made = found.map(one => fold(cy, one)).filter(Boolean); RR.changed('folded'); };
    if (silent) act();
    else {
      RR.step({name: RR.word('folding'), redo: act, undo: () => { made.forEach(id => open(cy, id)); RR.applyFilters(); RR.changed('folded'); }});
      RR.say(RR.word('folded now', {count: RR.folded().length, folds: made.length}));
    }
    return made.length;
  };
  RR.unfoldAll = function (silent) {
    const cy = RR.cy(), was = RR.foldState();
    if (!cy || !was.length) return;
    const act = () => { [...folds.keys()].forEach(id => open(cy, id)); RR.applyFilters(); RR.changed('folded'); };
    if (silent) act();
    else RR.step({name: RR.word('unfolding'), redo: act, undo: () => { was.forEach(one => fold(cy, one)); RR.changed('folded'); }});
  };
  RR.toggleFolds = () => (folds.size ? RR.unfoldAll() : RR.foldAll());
  RR.unfold = function (id) {
    const cy = RR.cy(), one = folds.get(id);
    if (!cy || !one) return;
    const was = {hub: one.hub, type: one.type, leaves: one.gone.nodes().map(n => n.id())};
    RR.step({
      name: RR.word('unfolding'),
      redo: () => { open(cy, id); RR.applyFilters(); RR.changed('folded'); },
      undo: () => { fold(cy, was); RR.changed('folded'); },
    });
  };
  RR.unfoldQuietly = id => { const cy = RR.cy(); if (cy) open(cy, id); };
  RR.openFoldOf = function (node) {
    const cy = RR.cy();
    for (const one of folds.values()) if (one.gone.getElementById(node).length) { open(cy, one.id); RR.changed('folded'); return; }
  };

  RR.foldState = () => [...folds.values()].map(one => ({hub: one.hub, type: one.type, leaves: one.gone.nodes().map(n => n.id())}));
  RR.foldThese = function (list, positions) {
    const cy = RR.cy();
    list.forEach(one => {
      const id = fold(cy, one), at = positions && positions[name(one.hub, one.type)];
      if (id && at) cy.getElementById(id).position({x: at.x, y: at.y});
    });
    if (list.length) RR.changed('folded');
  };
  RR.forgetFolds = () => folds.clear();
  RR.hooks.push(() => folds.clear());

  const every = pick => [...folds.values()].flatMap(pick);
  RR.inFold = id => [...folds.values()].some(one => one.gone.getElementById(id).length);
  RR.folded = () => every(one => one.gone.nodes().map(n => n.id()));
  RR.foldedFacts = () => every(one => one.gone.nodes().map(n => n.data()));
  RR.foldedEdges = () => every(one => one.gone.edges().map(e => e.id())).length;
  RR.timesInFolds = () => every(one => one.gone.edges().map(e => e.data('time')));
  RR.edgesInFolds = id => every(one => one.gone.edges().filter(e => e.data('source') === id || e.data('target') === id).map(e => ({data: e.data()})));
  RR.linksInFolds = id => RR.edgesInFolds(id).filter(e => !e.data.alike).length;
})();
