/* Keys, tools, dragging: everything a hand does that needs no server. */
(function () {
  'use strict';
  const RR = window.RR;
  const keys = new Map();

  RR.addKey = (key, run) => keys.set(key, run);
  const present = fn => () => { if (RR.cy()) fn(RR.cy()); };
  const zoom = by => present(cy => {
    const at = {x: cy.width() / 2, y: cy.height() / 2};
    cy.stop(true);
    if (RR.calm()) cy.zoom({level: cy.zoom() * by, renderedPosition: at});
    else cy.animate({zoom: {level: Math.max(cy.minZoom(), Math.min(cy.maxZoom(), cy.zoom() * by)), renderedPosition: at}, duration: 140});
  });
  const acts = {
    fit: present(() => RR.fit()),
    undo: present(() => RR.undo()),
    redo: present(() => RR.redo()),
    path: present(() => RR.path()),
    expand: present(cy => { const one = RR.selected().slice(-1)[0]; if (one) RR.expand(one); else RR.say(RR.word('choose one')); }),
    fold: present(() => RR.toggleFolds()),
    in: zoom(1.25),
    out: zoom(.8),
    help: () => dialog('canvas-help'),
    unfilter: present(() => RR.setFilters([], null)),
    box: present(cy => boxes(cy)),
    queue: () => queue(),
    marks: () => { const place = RR.el('canvas-marks'); if (place) { place.hidden = !place.hidden; const b = document.querySelector('[data-rr=marks]'); if (b) b.setAttribute('aria-expanded', String(!place.hidden)); } },
  };
  keys.set('f', acts.fit).set('z', acts.undo).set('y', acts.redo).set('p', acts.path).set('e', acts.expand).set('l', acts.fold)
    .set('+', acts.in).set('=', acts.in).set('-', acts.out).set('?', acts.help).set('[', acts.queue).set('b', acts.box)
    .set('i', present(() => RR.invert()))
    .set('a', present(cy => RR.select(cy.nodes(':visible').filter(n => !n.data('fold') && !n.hasClass('gone')).map(n => n.id()))))
    .set('delete', present(cy => RR.remove(cy.elements(':selected').map(e => e.id()))))
    .set('backspace', present(cy => RR.remove(cy.elements(':selected').map(e => e.id()))))
    .set('contextmenu', present(() => RR.menuFor(RR.selected().slice(-1)[0])))
    .set('escape', present(cy => {
      RR.say('');
      if (RR.isLit()) return RR.lightOff();
      RR.select([]);
    }));

  document.addEventListener('keydown', e => {
    if (window.RRTyping && window.RRTyping(e)) return;
    if (!RR.el('cy') || document.querySelector('dialog[open]') || (e.target.closest && e.target.closest('[role=dialog]'))) return;
    if (e.ctrlKey || e.metaKey || e.altKey) {
      if (!(e.ctrlKey || e.metaKey) || e.altKey || e.key.toLowerCase() !== 'z') return;
      e.preventDefault();
      return e.shiftKey ? acts.redo() : acts.undo();
    }
    const key = e.key.toLowerCase(), run = keys.get(key);
    if (!run) return;
    const own = '.ag-root, [role=menu], [role=slider], [role=listbox], [role=tablist]';
    if (key.length > 1 && key !== 'escape' && e.target.closest && e.target.closest(own)) return;
    e.preventDefault();
    run(e);
  });

  document.addEventListener('click', e => {
    const button = e.target.closest && e.target.closest('[data-rr]');
    if (button && acts[button.dataset.rr]) acts[button.dataset.rr]();
    if (e.target.tagName === 'DIALOG' && e.target.classList.contains('canvas-dialog')) e.target.close();
  });
  document.addEventListener('change', e => { if (e.target.id === 'canvas-layout') RR.layout(e.target.value); });

  function dialog(id) { const one = RR.el(id); if (one && !one.open) one.showModal(); }
  function queue() {
    const page = document.querySelector('.inv');
    if (!page) return;
    const closed = page.classList.toggle('inv-wide');
    document.querySelectorAll('[data-rr=queue]').forEach(b => b.setAttribute('aria-expanded', String(!closed)));
    try { window.localStorage.setItem('rr-queue-closed', closed ? '1' : ''); } catch (_) { /* nothing is kept then */ }
  }
  function boxes(cy) {
    const on = cy.userPanningEnabled(), button = document.querySelector('[data-rr=box]');
    cy.userPanningEnabled(!on);
    if (button) button.setAttribute('aria-pressed', String(on));
    RR.say(RR.word(on ? 'box on' : 'box off'));
  }

  /* Arrows walk from node to node while the graph has the focus. */
  const WAYS = {ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0]};
  function walk(cy, e) {
    const way = WAYS[e.key];
    if (!way) return;
    e.preventDefault();
    const from = cy.nodes(':selected').last(), box = cy.extent();
    const at = from.length ? from.position() : {x: (box.x1 + box.x2) / 2, y: (box.y1 + box.y2) / 2};
    let best = null, least = Infinity;
    cy.nodes(':visible').not('.gone').forEach(n => {
      const x = n.position('x') - at.x, y = n.position('y') - at.y;
      const along = x * way[0] + y * way[1], aside = Math.abs(x * way[1]) + Math.abs(y * way[0]);
      if (n.same(from) || (from.length && along < 4)) return;
      const far = from.length ? along + 2.2 * aside : Math.hypot(x, y);
      if (far < least) { least = far; best = n; }
    });
    if (!best) return;
    RR.select(e.shiftKey ? [...RR.selected(), best.id()] : [best.id()]);
    const p = best.position();
    if (p.x < box.x1 || p.x > box.x2 || p.y < box.y1 || p.y > box.y2) cy.center(best);
  }

  RR.hooks.push(cy => {
    cy.container().addEventListener('keydown', e => walk(cy, e));
    try { if (window.localStorage.getItem('rr-queue-closed')) document.querySelector('.inv').classList.add('inv-wide'); } catch (_) { /* open, then */ }
    let before = new Map();
    cy.on('grab', 'node', () => { before = new Map(cy.nodes(':selected, :grabbed').map(n => [n.id(), Object.assign({}, n.position())])); });
    cy.on('dragfree', 'node', e => dragged(cy, e.target, before));
    cy.on('tapstart', () => { RR.state.touched = true; });
  });

  /* What was dragged stays where it was put. */
  let gathering = null;
  function dragged(cy, node, before) {
    if (gathering) return gathering.add(node.id());
    gathering = new Set([node.id()]);
    setTimeout(() => {
      const ids = [...gathering].filter(id => before.has(id));
      gathering = null;
      const after = new Map(ids.map(id => [id, Object.assign({}, cy.getElementById(id).position())]));
      const pinned = new Set(ids.filter(id => cy.getElementById(id).data('pin')));
      if (!ids.length) return;
      RR.step({
        name: RR.word('move'),
        redo: () => { ids.forEach(id => cy.getElementById(id).position(after.get(id))); RR.pin(ids.filter(id => !cy.getElementById(id).data('fold')), true); },
        undo: () => { ids.forEach(id => cy.getElementById(id).position(before.get(id))); RR.pin(ids.filter(id => !pinned.has(id)), false); },
      });
    }, 0);
  }
})();
