/* The queue in the browser: which rows are asked for, which are chosen, where a row leads. The server knows the rest. */
(function () {
  'use strict';
  const no = () => window.dash_clientside.no_update;
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const SOONEST = ['deadline', 'funding'];
  const PLAIN = {tab: 'all', kind: '', status: [], assignee: '', typology: [], region: [], dealer: [], score_from: 0,
    savable_from: 0, new: false, text: '', order: 'savable', backwards: false};
  const LAST = 'ringroad-queue';

  const Q = window.RRQueue = {};
  Q.api = () => { try { return window.dash_ag_grid.getApi('queue') || null; } catch (_) { return null; } };
  Q.there = () => Boolean(document.getElementById('queue'));
  Q.word = (key, fills) => {
    const place = document.getElementById('q-words');
    let said = (place && JSON.parse(place.dataset.words)[key]) || key;
    Object.entries(fills || {}).forEach(([name, value]) => { said = said.split('{' + name + '}').join(value); });
    return said;
  };

  /* On the investigate page another ring is only another subject; elsewhere the address changes. */
  Q.go = href => {
    const to = /^\/(ring|application)\/([^/]+)$/.exec(href);
    const here = /^\/(ring|application)\//.test(window.location.pathname);
    if (to && here && document.getElementById('queue-strip')) {
      window.RR.open(to[1], decodeURIComponent(to[2]));
      return;
    }
    window.history.pushState({}, '', href);
    window.dispatchEvent(new CustomEvent('_dashprivate_pushstate'));
  };

  /* What is asked ------------------------------------------------------------------------------------------ */

  function slim(asked) {
    const kept = {};
    Object.keys(PLAIN).forEach(name => {
      const value = asked[name];
      if (value !== undefined && value !== null && JSON.stringify(value) !== JSON.stringify(PLAIN[name])) kept[name] = value;
    });
    return kept;
  }
  function address(asked) {
    const told = new URLSearchParams();
    Object.entries(asked).forEach(([name, value]) => told.set(name, Array.isArray(value) ? value.join(',') : String(value)));
    return told.toString();
  }
  const natural = order => (SOONEST.includes(order) ? 'asc' : 'desc');
  const turned = way => (way === 'asc' ? 'desc' : 'asc');
  const rowsOf = asked => JSON.stringify(Object.assign({}, asked, {order: undefined, backwards: undefined}));
  let before = {}, purged = '';

  /* The grid shows what is asked: sorted by its own heads, loaded anew where a filter changed. One that is not there
     yet asks by itself, and is looked at again when it is. */
  function show(asked) {
    const api = Q.api();
    if (!api) { purged = rowsOf(asked); return; }
    const order = asked.order || PLAIN.order, way = asked.backwards ? turned(natural(order)) : natural(order);
    const now = api.getColumnState().find(each => each.sort);
    const sorted = now && now.colId === order && now.sort === way;
    if (purged !== rowsOf(asked)) {
      purged = rowsOf(asked);
      api.deselectAll();
      if (sorted) api.purgeInfiniteCache();
      api.ensureIndexVisible && api.getDisplayedRowCount() && api.ensureIndexVisible(0, 'top');
    }
    if (!sorted) api.applyColumnState({state: [{colId: order, sort: way}], defaultState: {sort: null}});
  }

  window.queueGrid = {
    /* Tab goes on to what follows the grid: arrows walk in it. */
    leave: () => false,
    ready: () => show(before),
    sorted: event => {
      if (event.source !== 'uiColumnSorted') return;
      const now = event.api.getColumnState().find(each => each.sort);
      if (!now) return;
      set('queue-ordered', {data: {order: now.colId, backwards: now.sort !== natural(now.colId)}});
      set('queue-order', {value: now.colId});
    },
    opened: event => { if (event.data) Q.go(event.data.href); },
    pressed: event => {
      const key = event.event && event.event.key;
      if (key === 'Enter' && event.data && !event.event.target.closest('a, button, input')) { event.event.preventDefault(); Q.go(event.data.href); }
    },
    here: event => Boolean(event.data) && (Q.subject || decodeURIComponent(window.location.pathname)) === event.data.href,
  };
  window.dashAgGridFunctions = Object.assign(window.dashAgGridFunctions || {}, {queueGrid: window.queueGrid});

  /* What is chosen ----------------------------------------------------------------------------------------- */

  const seenOf = rows => Object.fromEntries((rows || []).filter(Boolean).map(row => [row.id, row.seen]));

  window.dash_clientside = Object.assign({}, window.dash_clientside, {queue: {
    /* All controls into one question. */
    compose: function (tab, kind, text, assignee, score, savable, fresh, ordered, status, typology, region, dealer) {
      return slim({
        tab: tab, kind: kind || '', text: (text || '').trim().slice(0, 64), assignee: assignee || '', score_from: Number(score) || 0,
        savable_from: (Number(savable) || 0) * 1000, new: Boolean(fresh), status: status || [], typology: typology || [],
        region: region || [], dealer: dealer || [], order: (ordered || {}).order, backwards: (ordered || {}).backwards,
      });
    },
    /* The question is kept in the address: a page that one comes back to asks it again. */
    asked: function (asked) {
      const query = address(asked || {});
      if (window.location.pathname === '/queue') {
        window.history.replaceState(window.history.state, '', '/queue' + (query ? '?' + query : ''));
        try { window.sessionStorage.setItem(LAST, JSON.stringify(asked || {})); } catch (_) { /* private mode */ }
      }
      before = asked || {};
      show(before);
      return no();
    },
    ordered: function (order, now) {
      return now && now.order === order ? no() : {order: order, backwards: false};
    },
    /* Back by the rail: as one left it. */
    mounted: function () {
      try {
        const kept = JSON.parse(window.sessionStorage.getItem(LAST) || '{}');
        if (!window.location.search && Object.keys(kept).length) return {query: kept, ts: Date.now()};
      } catch (_) { /* private mode */ }
      return no();
    },
    /* A filter that has a name, or none: into all controls at once. */
    apply: function (told) {
      if (!told || !told.query) return Array(13).fill(no());
      const asked = Object.assign({}, PLAIN, told.query);
      return [asked.tab, asked.kind, asked.text, asked.assignee, asked.score_from || '', asked.savable_from / 1000 || '', asked.new,
        {order: asked.order, backwards: asked.backwards}, asked.order, asked.status, asked.typology, asked.region, asked.dealer];
    },
    cleared: function (clicks) {
      const asked = before;
      return clicks ? {query: slim({tab: asked.tab, order: asked.order, backwards: asked.backwards}), ts: Date.now()} : no();
    },
    /* What a button acts on: the rows with a tick, or all that match. */
    chosen: function (rows, all, asked, total) {
      const some = (rows || []).filter(Boolean), every = Boolean(all && all.on && some.length);
      const count = every ? Number(total) : some.length;
      const said = count === 1 ? Q.word('one') : Q.word('many', {count: count.toLocaleString()});
      return [
        some.length ? {seen: seenOf(some), all: every, query: every ? asked || {} : null, count: count} : null,
        some.length ? 'q-bulk q-bulk-on' : 'q-bulk', said,
        every || !(Number(total) > some.length), Q.word('all', {count: Number(total || 0).toLocaleString()}),
      ];
    },
    all: function (clicks) { return clicks ? {on: true} : no(); },
    unall: function (rows, asked, all) { return all && all.on && !(rows || []).length ? {on: false} : no(); },
    deselect: function (clicks) { const api = Q.api(); if (clicks && api) api.deselectAll(); return no(); },
    act: function () {
      const asked = window.dash_clientside.callback_context.triggered[0];
      if (!asked || !asked.value) return no();
      const id = JSON.parse(asked.prop_id.slice(0, asked.prop_id.lastIndexOf('.')));
      return {do: id.act, to: id.to, ts: Date.now()};
    },
    /* Somebody did something: the same rows with what is true now, where one stands. */
    changed: function (changed) {
      const api = Q.api();
      if (changed && api) { api.deselectAll(); api.refreshInfiniteCache(); }
      return no();
    },
    take: function (clicks) { return clicks ? {ts: Date.now()} : no(); },
    newer: function (clicks) { return clicks ? Date.now() : no(); },
    help: function (clicks) { return clicks ? true : no(); },
  }, strip: {
    again: function (tab, changed, subject) {
      Q.subject = subject ? '/' + subject.kind + '/' + subject.name : '';
      let api = null;
      try { api = window.dash_ag_grid.getApi('queue-strip'); } catch (_) { api = null; }
      if (!api) return no();
      const by = (window.dash_clientside.callback_context.triggered[0] || {}).prop_id || '';
      if (by.startsWith('queue-strip-tab')) api.purgeInfiniteCache();
      else if (by.startsWith('changed') || by.startsWith('case-changed')) api.refreshInfiniteCache();
      else api.redrawRows();
      return no();
    },
  }});
})();
