/* Where new nodes go: round their anchor, and nothing that was there before moves. */
(function () {
  'use strict';
  const RR = window.RR;
  const AROUND = 70;

  /* Each of the new nodes on the free place that is nearest to where it came to lie. */
  function settle(nodes, fresh) {
    const size = 72, cells = new Map(), key = (x, y) => Math.floor(x / size) + ',' + Math.floor(y / size);
    const put = one => { const k = key(one.x, one.y); (cells.get(k) || cells.set(k, []).get(k)).push(one); };
    const ids = new Set(fresh.map(n => n.id()));
    nodes.forEach(n => { if (!ids.has(n.id())) put({x: n.position('x'), y: n.position('y'), r: n.width() / 2}); });
    const free = (x, y, r) => {
      for (let dx = -1; dx <= 1; dx++) for (let dy = -1; dy <= 1; dy++) {
        for (const one of cells.get(key(x + dx * size, y + dy * size)) || []) {
          if (Math.abs(one.x - x) < one.r + r + 10 && Math.abs(one.y - y) < one.r + r + 17) return false;
        }
      }
      return true;
    };
    nodes.cy().batch(() => fresh.forEach(n => {
      const r = n.width() / 2, at = Object.assign({}, n.position());
      let best = at;
      search: for (let far = 0; far < 900; far += 14) {
        const steps = far ? Math.max(8, Math.round(far / 9)) : 1;
        for (let i = 0; i < steps; i++) {
          const a = 2.4 * far + 2 * Math.PI * i / steps, x = at.x + far * Math.cos(a), y = at.y + far * Math.sin(a);
          if (free(x, y, r)) { best = {x, y}; break search; }
        }
      }
      n.position(best);
      put({x: best.x, y: best.y, r: r});
    }));
  }

  /* New nodes round their anchor, on the side where there is room; then fcose on what they touch, with all that was
     there before held fast, and put back should it have moved all the same. */
  RR.layoutNew = function (ids, anchor) {
    const cy = RR.cy(), fresh = new Set(ids), all = cy.nodes().filter(n => fresh.has(n.id()));
    if (!all.length) return;
    const before = new Map(cy.nodes().filter(n => !fresh.has(n.id())).map(n => [n.id(), Object.assign({}, n.position())]));
    place(cy, all, anchor);
    const around = all.closedNeighborhood().filter(':visible');
    const fixed = around.nodes().filter(n => !fresh.has(n.id())).map(n => ({nodeId: n.id(), position: Object.assign({}, n.position())}));
    if (all.length > 1 && around.length < 400) {
      RR.deterministic(() => around.layout(Object.assign({}, RR.fcose, {
        quality: 'default', numIter: 220, packComponents: false, fixedNodeConstraint: fixed.length ? fixed : undefined,
      })).run());
    }
    cy.batch(() => before.forEach((at, id) => { const n = cy.getElementById(id), p = n.position(); if (p.x !== at.x || p.y !== at.y) n.position(at); }));
    settle(cy.nodes(':visible'), all);
    RR.changed('moved');
  };

  /* A fan that opens away from the middle of what is shown. */
  function place(cy, nodes, anchor) {
    const root = anchor ? cy.getElementById(anchor) : cy.collection(), fresh = new Set(nodes.map(n => n.id()));
    const old = cy.nodes().filter(n => !fresh.has(n.id()));
    const middle = old.length ? RR.bounds(old.map(n => n.position())) : {x: 0, y: 0, w: 1, h: 1};
    nodes.forEach((n, i) => {
      const near = root.length ? root : n.neighborhood('node').filter(m => !fresh.has(m.id()));
      const at = near.length ? near[0].position() : {x: middle.x, y: middle.y + middle.h / 2 + 120};
      const out = Math.atan2(at.y - middle.y, at.x - middle.x), ring = Math.floor(i / 14);
      const many = Math.min(14, nodes.length - ring * 14), wide = many > 6 ? Math.PI * 2 : Math.PI * 1.1;
      const angle = out + (many > 1 ? (i % 14 / (many > 6 ? many : many - 1) - .5) * wide : 0);
      const far = AROUND + ring * 56 + (i % 2) * 16;
      n.position({x: at.x + far * Math.cos(angle), y: at.y + far * Math.sin(angle)});
    });
  }
})();
