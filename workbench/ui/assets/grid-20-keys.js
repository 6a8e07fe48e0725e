/* Through the queue by keyboard. A letter acts on the rows with a tick; without any, on the row where one stands. */
(function () {
  'use strict';
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const Q = window.RRQueue;

  function standing(api) {
    const cell = api.getFocusedCell();
    return cell ? api.getDisplayedRowAtIndex(cell.rowIndex) : null;
  }
  function move(api, by) {
    const cell = api.getFocusedCell(), last = api.getDisplayedRowCount() - 1;
    const to = Math.max(0, Math.min(last, cell ? cell.rowIndex + by : 0));
    api.ensureIndexVisible(to);
    api.setFocusedCell(to, cell ? cell.column : 'subject');
  }
  /* Rows with a tick keep their say; else the one row is chosen for this act. */
  function act(api, what) {
    const node = standing(api), some = api.getSelectedRows();
    if (!some.length && (!node || !node.data)) { Q.say(Q.word('none')); return; }
    const seen = some.length ? null : {[node.data.id]: node.data.seen};
    set('queue-act', {data: Object.assign({seen: seen, ts: Date.now()}, what)});
  }
  function toggle(api) {
    const node = standing(api);
    if (node && node.data) node.setSelected(!node.isSelected());
  }

  Q.say = text => { const place = document.getElementById('q-said'); if (place) { place.textContent = ''; setTimeout(() => { place.textContent = text; }, 30); } };

  const KEYS = {
    j: api => move(api, 1), k: api => move(api, -1), x: toggle,
    Enter: api => { const node = standing(api); if (node && node.data) Q.go(node.data.href); },
    a: api => act(api, {do: 'assign', to: 'me'}),
    s: api => act(api, {do: 'snooze', to: ''}),
    n: () => set('queue-take', {data: {ts: Date.now()}}),
    '?': () => set('queue-help', {opened: true}),
  };

  function busy(target) {
    return window.RRTyping({target: target}) || Boolean(target.closest('[role=dialog], [role=menu], [role=listbox], [role=option], .mantine-Popover-dropdown'));
  }
  document.addEventListener('keydown', event => {
    if (!Q.there() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const work = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!work || busy(event.target) || document.querySelector('.mantine-Modal-content')) return;
    const inside = event.target.closest('#queue');
    if (event.key === 'Enter' && (inside || event.target !== document.body)) return;
    const api = Q.api();
    if (!api) return;
    if ('asnx'.includes(event.key.toLowerCase()) && !document.getElementById('queue-next')) return;
    event.preventDefault();
    work(api);
  });
})();
