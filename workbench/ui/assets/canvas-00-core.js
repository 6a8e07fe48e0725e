/* The canvas, and `window.RR`: what other scripts may do with it.

   RR.cy()                 the cytoscape instance, or null while no canvas is on the page
   RR.subject()            {kind, name} of what is open, or null
   RR.open(kind, name)     another ring or application: its graph first, the panels (SUBJECT) once it is drawn
   RR.ids()                ids of all nodes that belong to the canvas, folded ones too
   RR.facts()              [{data…, hidden: bool}] of all nodes, for tables
   RR.selected()           ids of selected nodes in the order of selection
   RR.select(ids)          selects them and only them
   RR.show(ids)            brings nodes into view, asking the server for those that are missing; a promise
   RR.ask(op, body)        one request to the server after the other; a promise of its delta
   RR.addDelta(delta, {name, quiet})  adds its elements round delta.anchor without moving what is there; can be undone
   RR.remove(ids)          takes nodes from view; can be undone
   RR.positions()          {id: {x, y, pin}} of all nodes
   RR.view()               all that `apply` needs, as JSON: nodes, positions, pins, folds, filters, time, zoom
   RR.apply(view)          puts a saved view back, asking for nodes that are not here; a promise
   RR.light(nodes, edges)  lights them and dims the rest; edges as ids or [relation, source, target]; no arguments: all
   RR.say(text, action)    one line in the corner and to screen readers; action: {text, run}
   RR.word(key, values)    a text of the page in its language (see components/graph_canvas.py)
   RR.addMenuItem(item)    {id, text, on: 'node' | 'edge' | 'canvas', when(element), run(element), group}
   RR.addKey(key, run)     a key that no field is typing
   RR.onChange(fn)         fn(kind) after a change: 'opened', 'elements', 'filter', 'moved', 'selected', 'folded', 'lit'

   Nothing is kept in the `elements` of dash-cytoscape: it would send the graph to and fro. Facts are in `data`; the
   classes dim, hot, lit, gone, came and off pass. */
(function () {
  'use strict';
  const RR = window.RR = window.RR || {};
  const listeners = [];
  let instance = null, selection = [];
  RR.state = {subject: null, asOf: null, base: new Set(), range: null, off: new Set(), words: null};
  RR.hooks = [];

  RR.set = (id, props) => window.dash_clientside && window.dash_clientside.set_props(id, props);
  RR.el = id => document.getElementById(id);
  RR.calm = () => window.matchMedia('(prefers-reduced-motion: reduce)').matches;

  RR.word = function (key, values) {
    if (!RR.state.words) {
      const place = RR.el('canvas-words');
      if (!place) return key;
      RR.state.words = JSON.parse(place.dataset.words);
    }
    const text = RR.state.words[key] || key;
    return values ? text.replace(/\{(\w+)\}/g, (_, name) => (name in values ? values[name] : '')) : text;
  };
  RR.number = n => Number(n).toLocaleString('en-US');

  /* The instance ------------------------------------------------------------------------------------------- */

  RR.cy = function () {
    const cy = window.cy;
    if (!cy || cy.destroyed() || !cy.container() || !cy.container().isConnected) return null;
    if (cy !== instance) adopt(cy);
    return cy;
  };

  /* dash-cytoscape tells Dash of every move, hover and pan, and React draws anew each time: here nobody listens. */
  function adopt(cy) {
    instance = cy;
    cy.off('add remove dragfree viewport tap mouseover mouseout select unselect');
    RR.forget();
    selection = [];
    Object.assign(RR.state, {subject: null, base: new Set(), range: null, off: new Set(), words: null});
    cy.on('select', 'node', e => { selection.push(e.target.id()); changedSelection(); });
    cy.on('unselect', 'node', e => { selection = selection.filter(id => id !== e.target.id()); changedSelection(); });
    cy.on('remove', 'node', e => {
      if (selection.includes(e.target.id())) { selection = selection.filter(id => id !== e.target.id()); changedSelection(); }
    });
    const box = cy.container();
    box.setAttribute('tabindex', '0');
    box.setAttribute('role', 'application');
    box.setAttribute('aria-label', RR.word('canvas'));
    new ResizeObserver(() => { if (!cy.destroyed()) cy.resize(); }).observe(box);
    RR.hooks.forEach(hook => hook(cy));
  }

  let told = null;
  function changedSelection() {
    clearTimeout(told);
    told = setTimeout(() => { RR.set('selected', {data: RR.selected()}); RR.changed('selected'); }, 60);
  }
  RR.selected = () => { const cy = RR.cy(); return cy ? selection.filter(id => !cy.getElementById(id).data('fold')) : []; };
  RR.select = function (ids) {
    const cy = RR.cy(), wanted = new Set(ids);
    if (!cy) return;
    cy.batch(() => {
      cy.elements(':selected').filter(e => !wanted.has(e.id())).unselect();
      ids.forEach(id => cy.getElementById(id).select());
    });
  };

  RR.subject = () => RR.state.subject;
  RR.ids = function () {
    const cy = RR.cy();
    return cy ? [...cy.nodes().filter(n => !n.data('fold') && !n.hasClass('gone')).map(n => n.id()), ...RR.folded()] : [];
  };
  RR.facts = function () {
    const cy = RR.cy();
    if (!cy) return [];
    const shown = cy.nodes().filter(n => !n.data('fold') && !n.hasClass('gone'));
    return [
      ...shown.map(n => Object.assign({hidden: !n.visible()}, n.data())),
      ...RR.foldedFacts().map(data => Object.assign({hidden: true}, data)),
    ];
  };
  RR.positions = function () {
    const cy = RR.cy(), found = {};
    if (cy) cy.nodes().forEach(n => { const p = n.position(); found[n.id()] = {x: Math.round(p.x), y: Math.round(p.y), pin: n.data('pin') ? 1 : 0}; });
    return found;
  };

  RR.onChange = fn => { listeners.push(fn); return () => listeners.splice(listeners.indexOf(fn), 1); };
  const pending = new Set();
  RR.changed = function (kind) {
    if (!pending.size) requestAnimationFrame(() => { const kinds = [...pending]; pending.clear(); kinds.forEach(each => listeners.forEach(fn => fn(each))); });
    pending.add(kind);
  };

  /* Saying ------------------------------------------------------------------------------------------------- */

  let quiet = null;
  RR.say = function (text, action) {
    const place = RR.el('canvas-said');
    if (!place) return;
    clearTimeout(quiet);
    place.replaceChildren(document.createTextNode(text || ''));
    if (action) {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = action.text;
      button.addEventListener('click', () => { RR.say(''); action.run(); });
      place.append(button);
    }
    place.classList.toggle('canvas-quiet', !text);
    if (text) quiet = setTimeout(() => RR.say(''), action ? 15000 : 7000);
  };

  /* Dash ---------------------------------------------------------------------------------------------------- */

  window.dash_clientside = Object.assign({}, window.dash_clientside, {canvas: {
    /* What is open, as of when, or what people think of it changed: ask for it, unless it is there (`opened` came with
       the page). Nodes added by hand stay. */
    wish: function (subject, asOf, changed, opened) {
      const no = window.dash_clientside.no_update, told = window.dash_clientside.callback_context.triggered || [];
      if (!subject || wanted) return no; // the answer that is on its way is newer than what this would ask for
      const live = RR.cy() && RR.state.subject, at = live ? RR.state.asOf : opened && opened.as_of;
      const same = alike(live || (opened && opened.subject), subject);
      const moved = changed && told.some(each => each.prop_id === 'changed.data');
      if (same && (at || null) === (asOf || null) && !moved) return no;
      const base = RR.state.base, also = same && live ? RR.ids().filter(id => !base.has(id)) : [];
      if (live) address(subject);
      return {subject: subject, as_of: asOf || null, also: also, again: !!same, ts: Date.now()};
    },
    opened: function (payload) { if (payload) RR.opened(payload); return window.dash_clientside.no_update; },
    answered: function (delta) { RR.answered(delta); return window.dash_clientside.no_update; },
    working: function (is) { RR.working(!!is); return window.dash_clientside.no_update; },
    light: function (what) { RR.lightWhat(what); return window.dash_clientside.no_update; },
    focus: function (what) { if (what && what.id) RR.show([what.id]); return window.dash_clientside.no_update; },
  }});

  const alike = (a, b) => !!a && !!b && a.kind === b.kind && a.name === b.name;
  function address(subject) {
    const href = '/' + subject.kind + '/' + encodeURIComponent(subject.name);
    if (window.location.pathname !== href) window.history.pushState({}, '', href);
  }
  let wanted = null, arrived = false;
  RR.hooks.push(() => { arrived = true; });
  RR.open = function (kind, name) {
    const subject = {kind, name};
    if (!RR.cy() || alike(RR.state.subject, subject)) return;
    wanted = subject;
    setTimeout(() => { if (wanted === subject) wanted = null; }, 30000); // no answer came
    address(subject);
    RR.set('open-req', {data: {subject: subject, as_of: null, also: [], again: false, ts: Date.now()}});
  };
  /* Drawn: now the panels may ask, too. A page that has just come opened its subject by itself. */
  RR.drawn = function () {
    const subject = arrived ? RR.state.subject : wanted;
    wanted = null;
    if (!alike(subject, RR.state.subject)) return;
    if (!arrived) RR.set('as-of', {data: null});
    arrived = false;
    RR.set('subject', {data: subject});
  };
  window.addEventListener('popstate', () => {
    const found = /^\/(ring|application)\/([^/]+)$/.exec(window.location.pathname);
    if (found && RR.cy() && RR.state.subject) RR.open(found[1], decodeURIComponent(found[2]));
  });
})();
