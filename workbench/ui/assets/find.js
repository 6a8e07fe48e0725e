/* The search box in the header: a combobox over everything. What is typed leaves only in the body of a callback; what
   was opened is remembered, masked, as long as the page stands. */
(function () {
  'use strict';
  const WAIT = 160, RECENT = 8;
  let place = null, words = {}, looks = {};
  let input = null, list = null, hits = [], active = -1, open = false;
  let sequence = 0, pending = 0, timer = null, recent = [], wanted = null, drawn = '';

  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const canvas = () => (window.RR && window.RR.cy && window.RR.cy() ? window.RR : null);

  function make(tag, attributes, ...children) {
    const made = document.createElement(tag);
    Object.entries(attributes || {}).forEach(([name, value]) => {
      if (name === 'class') made.className = value;
      else if (value !== undefined && value !== null) made.setAttribute(name, value);
    });
    made.append(...children.filter(each => each !== null && each !== undefined && each !== ''));
    return made;
  }

  /* The box ------------------------------------------------------------------------------------------------ */

  function build() {
    const found = document.getElementById('find');
    if (!found || found === place || !found.dataset.words) return;
    place = found;
    words = JSON.parse(place.dataset.words);
    looks = JSON.parse(place.dataset.looks);
    input = make('input', {
      id: 'search', type: 'text', class: 'find-input', role: 'combobox', autocomplete: 'off', autocapitalize: 'off',
      autocorrect: 'off', spellcheck: 'false', maxlength: '120', placeholder: words.placeholder, 'aria-label': words.label,
      'aria-expanded': 'false', 'aria-controls': 'find-list', 'aria-autocomplete': 'list', 'aria-keyshortcuts': '/',
    });
    list = make('div', {id: 'find-list', class: 'find-list', role: 'listbox', 'aria-label': words.list, hidden: ''});
    place.replaceChildren(glass(), input, make('kbd', {class: 'find-key', 'aria-hidden': 'true'}, '/'), list,
      make('div', {class: 'find-said', id: 'find-said', role: 'status', 'aria-live': 'polite'}));
    input.addEventListener('input', typed);
    input.addEventListener('focus', () => { if (input.value.trim()) { if (hits.length || list.childElementCount) show(); else ask(); } else remembered(); });
    input.addEventListener('keydown', key);
    list.addEventListener('mousedown', e => e.preventDefault());
    list.addEventListener('click', e => {
      const option = e.target.closest('[role=option]');
      if (!option) return;
      act(hits[Number(option.dataset.at)], Boolean(e.target.closest('.find-other')));
    });
    document.addEventListener('pointerdown', e => { if (open && !place.contains(e.target)) close(); });
  }
  new MutationObserver(build).observe(document.documentElement, {childList: true, subtree: true});

  function glass() {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('class', 'find-glass');
    svg.setAttribute('aria-hidden', 'true');
    path.setAttribute('d', 'M11 18a7 7 0 1 0 0-14a7 7 0 0 0 0 14z M16 16l5 5');
    svg.append(path);
    return svg;
  }

  /* Asking: after a pause, and only the newest counts ------------------------------------------------------ */

  function typed() {
    clearTimeout(timer);
    if (!input.value.trim()) { pending = 0; hits = []; return remembered(); }
    timer = setTimeout(ask, WAIT);
  }
  function ask() {
    const text = input.value.trim();
    if (!text) return;
    pending = ++sequence;
    place.classList.add('find-busy');
    set('find-req', {data: {text: text, sequence: pending}});
  }
  function answered(told) {
    if (!told || told.sequence !== pending) return;
    pending = 0;
    place.classList.remove('find-busy');
    if (!input.value.trim()) return;
    draw(told);
    if (wanted !== null) { const other = wanted; wanted = null; if (hits.length) act(hits[0], other); }
  }
  /* The server is idle and the question has no answer: it failed, and a toast says why. */
  function idle(working) {
    const asked = pending;
    if (!working && asked) setTimeout(() => {
      if (pending !== asked) return;
      pending = 0;
      place.classList.remove('find-busy');
      wanted = null;
      note(words.failed);
    }, 400);
  }

  /* The list ------------------------------------------------------------------------------------------------ */

  /* Whether the list is of another text than the one in the box. */
  function stale() { return input.value.trim() !== drawn; }

  function draw(told) {
    drawn = input.value.trim();
    hits = [];
    const groups = told.groups.map(group => section(group.title, group.total, group.hits));
    list.replaceChildren(...(told.note ? [make('div', {class: 'find-note', role: 'presentation'}, told.note)] : []), ...groups, foot());
    const many = told.groups.reduce((sum, group) => sum + group.hits.length, 0);
    say([told.note, many ? words.count.replace('{count}', many) : ''].filter(Boolean).join('. '));
    show();
    move(hits.length ? 0 : -1);
  }
  function remembered() {
    drawn = '';
    hits = [];
    if (!recent.length) return close();
    list.replaceChildren(section(words.recent, '', recent), foot());
    show();
    move(-1);
  }
  function note(text) {
    hits = [];
    list.replaceChildren(make('div', {class: 'find-note', role: 'presentation'}, text));
    say(text);
    show();
    move(-1);
  }
  function say(text) { document.getElementById('find-said').textContent = text; }

  let groups = 0;
  function section(title, total, rows) {
    const id = 'find-group-' + (++groups);
    return make('div', {role: 'group', class: 'find-group', 'aria-labelledby': id},
      make('div', {class: 'find-head', id: id}, title, total ? make('span', {class: 'find-total'}, total) : null),
      ...rows.map(row));
  }
  function row(hit) {
    const at = hits.push(hit) - 1, look = looks[hit.group] || ['#868e96', ''];
    const dot = make('span', {class: 'find-dot', 'aria-hidden': 'true'});
    dot.style.background = look[0];
    dot.append(glyph(look[1]));
    const rings = (hit.rings || []).map(ring => make('span', {class: 'find-ring', title: words['in ring'].replace('{name}', ring.name)}, ring.name, ' ', make('b', {}, ring.score)));
    const option = make('div', {role: 'option', id: 'find-option-' + at, class: 'find-hit' + (hit.exact ? ' find-exact' : ''), 'data-at': at, 'aria-selected': 'false'},
      dot,
      make('span', {class: 'find-text'}, make('span', {class: 'find-title'}, hit.title), hit.sub ? make('span', {class: 'find-sub'}, hit.sub) : null),
      ...rings,
      hit.score ? make('span', {class: 'find-score'}, hit.score) : null,
      other(hit) ? make('span', {class: 'find-other'}, otherWord(hit)) : null);
    option.addEventListener('mousemove', () => move(at, true));
    return option;
  }
  function glyph(path) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    const drawn = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    drawn.setAttribute('d', path);
    svg.append(drawn);
    return svg;
  }
  function foot() {
    const hint = (key, text) => make('span', {}, make('kbd', {}, key), ' ' + text);
    return make('div', {class: 'find-foot', role: 'presentation'},
      hint('↵', canvas() ? words.open + ' / ' + words.add : words.open), canvas() ? hint('⇧↵', words.where) : null, hint('Esc', words.close),
      make('span', {class: 'find-hint'}, words.hint));
  }

  function show() {
    open = true;
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
  }
  function close() {
    open = false;
    if (!list) return;
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  }
  /* What was typed may name a person: it does not stay on the screen. */
  function clear() {
    clearTimeout(timer);
    input.value = drawn = '';
    hits = [];
    pending = 0;
    place.classList.remove('find-busy');
    list.replaceChildren();
    close();
  }
  function move(to, still) {
    const old = list.querySelector('[aria-selected=true]');
    if (old) old.setAttribute('aria-selected', 'false');
    active = hits.length ? Math.max(-1, Math.min(hits.length - 1, to)) : -1;
    const now = active < 0 ? null : document.getElementById('find-option-' + active);
    if (!now) return input.removeAttribute('aria-activedescendant');
    now.setAttribute('aria-selected', 'true');
    input.setAttribute('aria-activedescendant', now.id);
    if (!still) now.scrollIntoView({block: 'nearest'});
  }

  function key(e) {
    if (e.isComposing) return;
    const turn = {ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + 6, PageUp: active - 6}[e.key];
    if (turn !== undefined) {
      e.preventDefault();
      if (!open) { if (hits.length) show(); else if (!input.value.trim()) remembered(); return; }
      const last = hits.length - 1;
      move(e.key === 'ArrowDown' && active === last ? 0 : e.key === 'ArrowUp' && active <= 0 ? last : Math.max(0, turn));
    } else if (e.key === 'Enter') {
      e.preventDefault();
      if (open && active >= 0 && !stale()) act(hits[active], e.shiftKey);
      else if (input.value.trim()) { wanted = e.shiftKey; clearTimeout(timer); ask(); }
    } else if (e.key === 'Escape') {
      e.stopPropagation();
      if (open) close();
      else { clear(); input.blur(); }
    } else if (e.key === 'Tab') close();
  }
  /* Opening ------------------------------------------------------------------------------------------------- */

  /* The second thing that can be done with a hit: a page is opened by Enter, a thing is added; Shift does the other. */
  function other(hit) { return hit.id && (canvas() || !hit.href); }
  function otherWord(hit) { return hit.href || !canvas() ? (canvas() ? words.add : words.where) : words.where; }

  function act(hit, second) {
    if (!hit) return;
    keep(hit);
    clear();
    input.blur();
    const here = canvas();
    if (hit.href && !(second && here && hit.id)) return go({href: hit.href, kind: hit.group === 'Application' ? 'application' : hit.group, name: hit.title});
    if (here && hit.id && (!second || hit.href)) return set('focus', {data: {id: hit.id, ts: Date.now()}});
    set('find-open', {data: {id: hit.id, ts: Date.now()}});
  }
  function keep(hit) {
    const name = each => each.id || each.href;
    recent = [hit, ...recent.filter(each => name(each) !== name(hit))].slice(0, RECENT);
  }

  /* On the investigate page another ring is only another subject; elsewhere the address changes. */
  function go(to) {
    const here = canvas(), kinds = ['ring', 'application'];
    if (here && kinds.includes(to.kind) && kinds.some(each => window.location.pathname.startsWith('/' + each + '/'))) {
      window.RR.open(to.kind, decodeURIComponent(to.href.split('/').pop()));
      if (to.focus) later(to);
      return;
    }
    window.history.pushState({}, '', to.href);
    window.dispatchEvent(new CustomEvent('_dashprivate_pushstate'));
    if (to.focus) later(to);
  }
  /* Once the ring or application is open, what led there is brought into view. */
  function later(to) {
    let left = 100;
    const timer_ = setInterval(() => {
      const here = canvas(), subject = here && here.subject();
      if (subject && subject.name === to.name && here.ids().length) { clearInterval(timer_); set('focus', {data: {id: to.focus, ts: Date.now()}}); }
      else if (!left--) clearInterval(timer_);
    }, 100);
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {find: {
    answered: told => { answered(told); return window.dash_clientside.no_update; },
    idle: working => { idle(working); return window.dash_clientside.no_update; },
    go: to => { if (to) go(to); return window.dash_clientside.no_update; },
  }});
})();
