/* What stands on the canvas: opening, reading again, adding. */
(function () {
  'use strict';
  const RR = window.RR;
  const CAP = 1500, PINS = 'rr-pins ';

  /* What the server answered to the wish for a subject. */
  RR.opened = function (payload) {
    window.performance.mark('rr-answered');
    const cy = RR.cy();
    if (!cy) return setTimeout(() => RR.opened(payload), 8);
    const now = RR.state.subject, same = now && now.kind === payload.subject.kind && now.name === payload.subject.name;
    RR.state.asOf = payload.as_of;
    RR.state.seen = payload.seen || null;
    empty(payload);
    if (same && !payload.error) again(cy, payload); else anew(cy, payload);
  };

  function anew(cy, payload) {
    RR.state.subject = payload.subject;
    RR.state.opening = {};
    RR.state.touched = false;
    RR.clearFilters();
    RR.forget();
    RR.lightOff();
    cy.stop(true);
    cy.elements().remove();
    RR.forgetFolds();
    RR.state.guests = new Set();
    RR.state.base = new Set(payload.elements.filter(e => !e.data.source).map(e => e.data.id));
    RR.state.left = payload.left;
    RR.state.cut = payload.cut;
    cy.batch(() => cy.add(payload.elements));
    pinsBack(cy);
    if (cy.elements().length > CAP) RR.foldAll(true);
    RR.layoutFirst();
    RR.changed('elements');
    RR.changed('opened');
    if (sum(payload.cut)) RR.say(RR.word('no room', {count: RR.number(sum(payload.cut))}));
  }

  /* The same, as of another time or after somebody decided something: who stays stays where it is, what is gone fades,
     what came is marked. */
  function again(cy, payload) {
    const there = new Map(payload.elements.map(e => [e.data.id, e])), folds = RR.foldState();
    RR.state.left = payload.left;
    RR.state.cut = payload.cut;
    RR.unfoldAll(true);
    const came = payload.elements.filter(e => !RR.has(e.data.id));
    let gone = 0;
    cy.nodes().filter(n => RR.state.guests.has(n.id()) && !there.has(n.id())).remove();
    cy.batch(() => {
      cy.elements().removeClass('came');
      cy.elements().forEach(e => {
        if (e.data('fold') || e.data('foldEdge')) return;
        const told = there.get(e.id());
        if (!told) { if (!e.hasClass('gone')) { e.addClass('gone').unselect(); gone += e.isNode() ? 1 : 0; } return; }
        if (e.hasClass('gone')) e.removeClass('gone').addClass('came');
        renew(e, told.data);
      });
    });
    const added = put(cy, came);
    if (added.length) { RR.layoutNew(added.nodes().map(n => n.id()), null); added.addClass('came'); }
    came.forEach(e => { if (!e.data.source && !payload.extra.includes(e.data.id)) { RR.state.base.add(e.data.id); RR.state.guests.add(e.data.id); } });
    RR.foldThese(folds);
    RR.applyFilters();
    RR.changed('elements');
    RR.changed('opened');
    const fresh = cy.nodes('.came').length;
    if (gone || fresh) RR.say(RR.word('read again', {came: fresh, gone: gone}));
  }

  function renew(element, data) {
    const old = element.data(), stale = Object.keys(old).filter(name => !(name in data) && name !== 'pin');
    if (stale.length) element.removeData(stale.join(' '));
    const changed = {};
    Object.keys(data).forEach(name => { if (old[name] !== data[name] && name !== 'id' && name !== 'source' && name !== 'target') changed[name] = data[name]; });
    if (Object.keys(changed).length) element.data(changed);
  }

  RR.has = id => { const cy = RR.cy(); return !!cy && (cy.getElementById(id).length > 0 || RR.inFold(id)); };

  /* Elements that are not there yet, and whose ends are. */
  function put(cy, elements) {
    const nodes = elements.filter(e => !e.data.source && !RR.has(e.data.id));
    const ids = new Set(nodes.map(e => e.data.id));
    const edges = elements.filter(e => e.data.source && !RR.has(e.data.id) && [e.data.source, e.data.target].every(id => ids.has(id) || RR.has(id)));
    edges.forEach(e => [e.data.source, e.data.target].forEach(id => RR.openFoldOf(id)));
    let added = cy.collection();
    cy.batch(() => { added = cy.add(nodes.concat(edges).map(e => ({data: e.data}))); });
    return added;
  }

  RR.addDelta = function (delta, how) {
    const cy = RR.cy(), options = how || {};
    if (!cy) return {added: 0};
    let added = cy.collection(), first = true;
    const back = (delta.elements || []).filter(e => cy.getElementById(e.data.id).hasClass('gone'));
    back.forEach(e => { const one = cy.getElementById(e.data.id).removeClass('gone'); renew(one, e.data); });
    (delta.elements || []).forEach(e => { RR.state.base.delete(e.data.id); RR.state.guests.delete(e.data.id); });
    const fresh = (delta.elements || []).filter(e => !RR.has(e.data.id));
    if (!fresh.length) return {added: 0};
    RR.step({
      name: options.name || RR.word('addition'),
      redo: () => {
        if (first) {
          added = put(cy, fresh);
          RR.layoutNew(added.nodes().map(n => n.id()), delta.anchor);
          first = false;
        } else added.restore();
        RR.applyFilters();
        RR.changed('elements');
      },
      undo: () => { added.nodes().forEach(n => RR.openFoldOf(n.id())); added = added.filter(e => e.inside()).remove(); RR.changed('elements'); },
    });
    const nodes = added.nodes();
    if (!options.quiet && nodes.length) reveal(cy, nodes, delta.anchor);
    if (cy.elements().length > CAP) {
      const folded = RR.foldAll(true);
      RR.say(RR.word(folded ? 'folded for room' : 'full', {count: RR.number(cy.elements().length)}));
    }
    return {added: nodes.length};
  };

  /* New nodes out of sight are brought into it, without a jump where they are in sight already. */
  function reveal(cy, nodes, anchor) {
    const box = cy.extent(), out = nodes.filter(n => { const p = n.position(); return p.x < box.x1 || p.x > box.x2 || p.y < box.y1 || p.y > box.y2; });
    if (out.length) RR.fit(cy.elements(':visible').not('.gone'), 260);
    flash(nodes);
  }
  function flash(nodes) {
    nodes.addClass('came');
    setTimeout(() => nodes.removeClass('came'), 1800);
  }

  RR.show = async function (ids) {
    const cy = RR.cy();
    if (!cy) return;
    const missing = ids.filter(id => !RR.has(id) || cy.getElementById(id).hasClass('gone'));
    if (missing.length) {
      const delta = await RR.ask('add', {ids: missing}).catch(() => null);
      if (delta) RR.addDelta(delta, {name: RR.word('addition'), quiet: true});
    }
    ids.forEach(id => RR.openFoldOf(id));
    const found = cy.nodes().filter(n => ids.includes(n.id()));
    if (!found.length) return RR.say(RR.word('not known then'));
    found.removeClass('off');
    RR.select(found.map(n => n.id()));
    if (found.length === 1) {
      if (RR.calm()) cy.center(found);
      else cy.animate({center: {eles: found}, zoom: Math.max(cy.zoom(), .9), duration: 260});
    } else RR.fit(found, 260);
    flash(found);
  };

  /* Pins ---------------------------------------------------------------------------------------------------- */

  RR.pin = function (ids, on) {
    const cy = RR.cy();
    ids.forEach(id => { const n = cy.getElementById(id); if (on) n.data('pin', 1); else n.removeData('pin'); });
    keepPins(cy);
    RR.changed('moved');
  };
  function keepPins(cy) {
    const subject = RR.state.subject, pins = {};
    if (!subject) return;
    cy.nodes('[pin]').forEach(n => { pins[n.id()] = [Math.round(n.position('x')), Math.round(n.position('y'))]; });
    try { window.sessionStorage.setItem(PINS + subject.name, JSON.stringify(pins)); } catch (_) { /* a full or closed storage keeps nothing */ }
  }
  RR.keepPins = () => { const cy = RR.cy(); if (cy) keepPins(cy); };
  function pinsBack(cy) {
    let pins = {};
    try { pins = JSON.parse(window.sessionStorage.getItem(PINS + RR.state.subject.name) || '{}'); } catch (_) { pins = {}; }
    Object.entries(pins).forEach(([id, at]) => { const n = cy.getElementById(id); if (n.length) { n.data('pin', 1); n.position({x: at[0], y: at[1]}); } });
  }

  /* Views --------------------------------------------------------------------------------------------------- */

  RR.view = function () {
    const cy = RR.cy();
    if (!cy) return null;
    return {
      version: 1, subject: RR.state.subject, as_of: RR.state.asOf, nodes: RR.ids(), positions: RR.positions(),
      folds: RR.foldState(), off: [...RR.state.off], range: RR.state.range, zoom: cy.zoom(), pan: Object.assign({}, cy.pan()),
    };
  };
  RR.apply = async function (view) {
    const cy = RR.cy();
    if (!cy || !view) return;
    RR.lightOff();
    RR.unfoldAll(true);
    const missing = view.nodes.filter(id => !RR.has(id));
    if (missing.length) {
      const delta = await RR.ask('add', {ids: missing}).catch(() => null);
      if (delta) RR.addDelta(delta, {quiet: true});
    }
    const wanted = new Set(view.nodes), out = cy.nodes().filter(n => !wanted.has(n.id()));
    out.remove();
    cy.batch(() => Object.entries(view.positions).forEach(([id, at]) => {
      const n = cy.getElementById(id);
      if (!n.length) return;
      n.position({x: at.x, y: at.y});
      if (at.pin) n.data('pin', 1); else n.removeData('pin');
    }));
    RR.state.touched = true;
    RR.foldThese(view.folds || [], view.positions);
    RR.setFilters(view.off || [], view.range || null);
    cy.viewport({zoom: view.zoom, pan: view.pan});
    RR.forget();
    RR.changed('elements');
  };

  function sum(counts) { return Object.values(counts || {}).reduce((a, b) => a + b, 0); }
  function empty(payload) {
    const place = RR.el('canvas-empty');
    if (!place) return;
    const why = payload.error || (payload.elements.length ? '' : RR.word('nothing then'));
    place.hidden = !why;
    const said = place.querySelector('p');
    if (said) said.textContent = why;
  }
})();
