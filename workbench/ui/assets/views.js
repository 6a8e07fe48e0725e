/* Views under a name, and how one left the graph: packed here, kept by the server, put back to the pixel. */
(function () {
  'use strict';
  const RR = window.RR;
  const PAUSE = 1400;
  const set = (id, props) => window.dash_clientside.set_props(id, props);

  function word(key, values) {
    const place = document.getElementById('views-words'), words = place ? JSON.parse(place.dataset.words) : {};
    return String(words[key] || key).replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  /* To and fro ---------------------------------------------------------------------------------------------- */

  function pack() {
    const cy = RR.cy(), view = RR.view(), there = new Set(view.nodes), positions = {}, pinned = [];
    Object.entries(view.positions).forEach(([id, at]) => { positions[id] = [at.x, at.y]; if (at.pin) pinned.push(id); });
    return {
      nodes: view.nodes, positions: positions, pinned: pinned, hidden: [...RR.state.base].filter(id => !there.has(id)),
      filters: {off: view.off, range: view.range, folds: view.folds, fresh: RR.freshOnly()},
      zoom: {level: view.zoom, x: view.pan.x, y: view.pan.y, w: cy.width(), h: cy.height()}, as_of: view.as_of || '',
    };
  }

  /* What came since, and was not taken from view, stays beside what was arranged. */
  async function unpack(content, keepNew) {
    const cy = RR.cy(), held = new Set(content.nodes.concat(content.hidden || []));
    const came = keepNew ? [...RR.state.base].filter(id => !held.has(id) && RR.has(id)) : [];
    const positions = {}, pins = new Set(content.pinned || []), filters = content.filters || {}, zoom = content.zoom || {};
    Object.entries(content.positions).forEach(([id, at]) => { positions[id] = {x: at[0], y: at[1], pin: pins.has(id) ? 1 : 0}; });
    RR.setFreshOnly(false);
    await RR.apply({
      nodes: content.nodes.concat(came), positions: positions, folds: filters.folds || [], off: filters.off || [], range: filters.range || null,
      zoom: zoom.level || 1, pan: {x: (zoom.x || 0) + ((cy.width() - zoom.w) || 0) / 2, y: (zoom.y || 0) + ((cy.height() - zoom.h) || 0) / 2},
    });
    if (came.length) RR.layoutNew(came, null);
    if (filters.fresh && !keepNew) RR.setFreshOnly(true);
    if (!cy.nodes(':visible').some(n => inside(cy, n))) RR.fit();
    return came.length;
  }
  function inside(cy, node) {
    const seen = cy.extent(), at = node.position();
    return at.x >= seen.x1 && at.x <= seen.x2 && at.y >= seen.y1 && at.y <= seen.y2;
  }

  /* As one left it ------------------------------------------------------------------------------------------ */

  let armed = false, timer = null, kept = '', busy = false, told = false;
  const hand = () => { armed = true; };
  ['pointerdown', 'wheel', 'keydown'].forEach(each => window.addEventListener(each, hand, {capture: true, passive: true}));

  function soon() {
    if (!armed || busy || RR.state.asOf || !RR.state.subject) return;
    clearTimeout(timer);
    timer = setTimeout(keep, PAUSE);
  }
  function keep() {
    clearTimeout(timer);
    timer = null;
    if (!RR.cy() || !RR.state.subject || RR.state.asOf || busy) return;
    const content = pack(), text = JSON.stringify(content);
    if (text === kept || !content.nodes.length) return;
    kept = text;
    set('views-last-req', {data: {subject: RR.state.subject, content: content, ts: Date.now()}});
  }
  RR.hooks.push(cy => cy.on('viewport', soon));
  RR.onChange(kind => { if (['elements', 'moved', 'filter', 'folded'].includes(kind)) soon(); });
  document.addEventListener('visibilitychange', () => { if (document.hidden && timer) keep(); });

  /* The wish for another subject, or for this one again, comes with how it was left. */
  const opened = RR.opened;
  RR.opened = function (payload) {
    const before = RR.state.subject;
    if (timer && before && RR.cy()) keep();
    opened(payload);
    if (!RR.cy() || RR.state.subject === before) return;
    armed = false;
    kept = '';
    clearTimeout(timer);
    timer = null;
    if (payload.view && !payload.error) restore(payload.view);
  };
  async function restore(content) {
    busy = true;
    try {
      const came = await unpack(content, true);
      RR.say(came ? word('new', {count: came}) : word('restored'));
    } finally { busy = false; }
  }

  /* Under a name --------------------------------------------------------------------------------------------- */

  function ask(act, more) { set('views-req', {data: Object.assign({act: act, subject: RR.subject(), ts: Date.now()}, more)}); }

  document.addEventListener('submit', e => {
    if (e.target.id === 'views-form') { e.preventDefault(); saveAs(); }
    else if (e.target.classList.contains('views-renaming')) { e.preventDefault(); ask('rename', {number: e.target.dataset.number, name: e.target.querySelector('input').value.trim()}); }
  });
  function saveAs() {
    const box = document.getElementById('views-name'), name = box.value.trim();
    if (!RR.cy()) return;
    if (!name) { RR.say(word('name')); return box.focus(); }
    ask('save', {name: name, shared: Boolean(document.querySelector('#views-shared:checked, #views-shared input:checked')), content: pack()});
  }
  document.addEventListener('click', e => {
    const button = e.target.closest && e.target.closest('[data-view]');
    if (!button || !RR.cy()) return;
    const told_ = button.dataset;
    if (told_.view === 'open') { set('views-popover', {opened: false}); ask('open', {number: told_.number}); }
    else if (told_.view === 'rename') rename(button);
    else if (told_.view === 'forget') ask('forget');
    else if (button.classList.contains('views-sure')) ask('remove', {number: told_.number});
    else { button.classList.add('views-sure'); button.textContent = word('sure'); button.addEventListener('blur', () => button.classList.remove('views-sure'), {once: true}); }
  });
  function rename(button) {
    const row = button.closest('.views-row'), form = document.createElement('form'), input = document.createElement('input');
    form.className = 'views-renaming';
    form.dataset.number = button.dataset.number;
    input.value = button.dataset.name;
    input.maxLength = 64;
    input.className = 'views-input';
    input.setAttribute('aria-label', word('rename'));
    input.addEventListener('keydown', e => { if (e.key === 'Escape') { e.stopPropagation(); form.remove(); row.classList.remove('views-editing'); button.focus(); } });
    form.append(input);
    row.classList.add('views-editing');
    row.after(form);
    input.select();
    input.focus();
  }

  /* A view as of another time is put back once the graph stands as of then. */
  async function show(name, content) {
    if ((content.as_of || '') !== (RR.state.asOf || '')) {
      set('as-of-jump', {data: {to: content.as_of || 'now', said: '', ts: Date.now()}});
      if (!await arrived(content.as_of || '')) return;
    }
    busy = true;
    try { await unpack(content, false); } finally { busy = false; }
    RR.say(word('opened', {name: name}));
    armed = true;
    soon();
  }
  const arrived = asOf => new Promise(done => {
    let left = 80;
    const wait = setInterval(() => {
      const same = Date.parse(RR.state.asOf || 0) === Date.parse(asOf || 0) && Boolean(RR.state.asOf) === Boolean(asOf);
      if (same || !left--) { clearInterval(wait); setTimeout(() => done(same), 120); }
    }, 100);
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {views: {
    answered: answer => {
      if (answer && answer.act === 'save') {
        set('views-name', {value: ''});
        RR.say(word('saved', {name: answer.name}));
      } else if (answer && answer.act === 'open') show(answer.name, answer.content);
      else if (answer && answer.act === 'forget') { armed = false; clearTimeout(timer); window.location.reload(); }
      return window.dash_clientside.no_update;
    },
    remembered: answer => {
      if (answer && !answer.kept && !told) { told = true; RR.say(word('large')); }
      return window.dash_clientside.no_update;
    },
  }});
})();
