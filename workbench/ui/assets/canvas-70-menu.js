/* The menu under the right button (or the menu key): ours, so that a keyboard can walk it and others can add to it. */
(function () {
  'use strict';
  const RR = window.RR;
  const items = [];
  let open = null, before = null;

  RR.addMenuItem = item => { items.push(Object.assign({on: 'node', group: 5}, item)); };

  RR.hooks.push(cy => {
    cy.on('cxttap', e => {
      const target = e.target === cy ? null : e.target;
      if (target && !target.selected()) RR.select([target.id()]);
      const box = cy.container().getBoundingClientRect();
      show(target, box.left + e.renderedPosition.x, box.top + e.renderedPosition.y);
    });
    cy.container().addEventListener('contextmenu', e => e.preventDefault());
    cy.on('tapstart pan zoom', close);
  });
  RR.menuFor = function (id) {
    const cy = RR.cy(), target = id ? cy.getElementById(id) : null, box = cy.container().getBoundingClientRect();
    const at = target && target.length ? target.renderedPosition() : {x: cy.width() / 2, y: cy.height() / 2};
    show(target && target.length ? target : null, box.left + at.x + 14, box.top + at.y + 6);
  };

  function show(target, x, y) {
    close();
    const on = !target ? 'canvas' : target.isNode() ? 'node' : 'edge';
    const shown = items.filter(one => one.on === on && (!one.when || one.when(target)));
    if (!shown.length) return;
    shown.sort((a, b) => a.group - b.group);
    before = document.activeElement;
    open = document.createElement('div');
    open.className = 'canvas-menu';
    open.setAttribute('role', 'menu');
    let group = null;
    const button = one => {
      const item = document.createElement('button');
      item.type = 'button';
      item.setAttribute('role', 'menuitem');
      item.tabIndex = -1;
      item.textContent = typeof one.text === 'function' ? one.text(target) : one.text;
      if (one.key) { const key = document.createElement('kbd'); key.textContent = one.key; item.append(key); }
      item.addEventListener('click', () => { close(); one.run(target); });
      return item;
    };
    shown.forEach(one => {
      if (group !== null && one.group !== group) { const line = document.createElement('hr'); line.setAttribute('role', 'separator'); open.append(line); }
      group = one.group;
      open.append(button(one));
    });
    document.body.append(open);
    stand(x, y);
    open.firstChild.focus();
    open.addEventListener('keydown', walk);
    if (on === 'node' && real(target)) kinds(open, target, button, x, y);
  }
  /* By kind, as soon as it is known what there is. */
  async function kinds(menu, target, button, x, y) {
    const found = (await RR.kinds(target)).slice(0, 6);
    if (menu !== open || found.length < 2) return;
    const items = found.map(one => button({
      text: RR.word('menu kind', {type: one.typeSays, count: RR.number(one.total - one.shown)}),
      run: () => RR.expand(target.id(), {types: [one.type]}),
    }));
    items.forEach(item => item.classList.add('canvas-menu-kind'));
    menu.firstChild.after(...items);
    stand(x, y);
  }
  function stand(x, y) {
    const box = open.getBoundingClientRect();
    open.style.left = Math.max(4, Math.min(x, window.innerWidth - box.width - 8)) + 'px';
    open.style.top = Math.max(4, Math.min(y, window.innerHeight - box.height - 8)) + 'px';
  }
  function walk(e) {
    const all = [...open.querySelectorAll('[role=menuitem]')], at = all.indexOf(document.activeElement);
    const to = {ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, Home: 0, End: all.length - 1}[e.key];
    if (to !== undefined) { e.preventDefault(); all[to].focus(); }
    if (e.key === 'Escape' || e.key === 'Tab') { e.preventDefault(); close(); }
    e.stopPropagation();
  }
  function close() {
    if (!open) return;
    open.remove();
    open = null;
    if (before && before.isConnected) before.focus({preventScroll: true});
  }
  document.addEventListener('pointerdown', e => { if (open && !open.contains(e.target)) close(); }, true);
  window.addEventListener('blur', close);

  /* Our own items */
  const word = key => () => RR.word(key);
  const real = n => !n.data('fold') && !n.hasClass('gone');
  const chosen = n => (n.selected() ? n.cy().nodes(':selected').map(m => m.id()) : [n.id()]);
  RR.addMenuItem({id: 'expand', text: word('menu expand'), key: 'E', group: 1, when: n => real(n) && RR.hiddenLinks(n) > 0, run: n => RR.expand(n.id())});
  RR.addMenuItem({id: 'filter', text: word('menu filter'), group: 1, when: real, run: n => RR.filterFor(n.id())});
  RR.addMenuItem({id: 'unfold', text: word('menu unfold'), group: 1, when: n => n.data('fold'), run: n => RR.unfold(n.id())});
  RR.addMenuItem({id: 'path', text: word('menu path'), key: 'P', group: 2, when: real, run: n => { RR.select(RR.selected().includes(n.id()) ? RR.selected() : [n.id()]); setTimeout(RR.path, 0); }});
  RR.addMenuItem({id: 'neighbours', text: word('menu neighbours'), group: 2, when: real, run: n => RR.select(n.closedNeighborhood('node').map(m => m.id()))});
  RR.addMenuItem({id: 'pin', text: n => RR.word(n.data('pin') ? 'menu unpin' : 'menu pin'), group: 3, when: real, run: n => RR.pin(chosen(n), !n.data('pin'))});
  RR.addMenuItem({id: 'only', text: word('menu only'), group: 3, when: real, run: n => {
    const keep = new Set(n.selected() && n.cy().nodes(':selected').length > 1 ? chosen(n) : n.closedNeighborhood('node').map(m => m.id()));
    RR.remove(n.cy().nodes().filter(m => !keep.has(m.id())).map(m => m.id()));
  }});
  RR.addMenuItem({id: 'remove', text: word('menu remove'), key: 'Del', group: 3, run: n => RR.remove(chosen(n))});
  const page = (type, path) => ({id: 'page-' + type, text: word('menu page ' + type), group: 4, when: n => real(n) && n.data('type') === type,
    run: n => { const key = n.id().slice(type.length + 1); if (type === 'Application') RR.open('application', key); else RR.go(path + encodeURIComponent(key)); }});
  RR.addMenuItem(page('Application'));
  RR.addMenuItem(page('Dealer', '/dealer/'));
  RR.addMenuItem(page('Vehicle', '/vehicle/'));
  RR.addMenuItem({id: 'ends', on: 'edge', text: word('menu ends'), group: 2, run: e => RR.select(e.connectedNodes().map(n => n.id()))});
  RR.addMenuItem({id: 'remove-edge', on: 'edge', text: word('menu remove edge'), group: 3, when: e => !e.data('foldEdge'), run: e => RR.remove([e.id()])});
  RR.addMenuItem({id: 'fit', on: 'canvas', text: word('menu fit'), key: 'F', group: 1, run: () => RR.fit()});
  RR.addMenuItem({id: 'all', on: 'canvas', text: word('menu all'), key: 'A', group: 2, run: () => RR.select(RR.cy().nodes(':visible').filter(real).map(n => n.id()))});
  RR.addMenuItem({id: 'invert', on: 'canvas', text: word('menu invert'), key: 'I', group: 2, run: () => RR.invert()});
  RR.addMenuItem({id: 'fold', on: 'canvas', text: word('menu fold'), key: 'L', group: 3, run: () => RR.toggleFolds()});
  RR.addMenuItem({id: 'unpin', on: 'canvas', text: word('menu unpin all'), group: 3, when: () => RR.cy().nodes('[pin]').length > 0, run: () => RR.pin(RR.cy().nodes('[pin]').map(n => n.id()), false)});

  RR.invert = () => RR.select(RR.cy().nodes(':visible').filter(n => real(n) && !n.selected()).map(n => n.id()));
  /* As a link of the page would. */
  RR.go = function (href) {
    window.history.pushState({}, '', href);
    window.dispatchEvent(new CustomEvent('_dashprivate_pushstate'));
  };
})();
