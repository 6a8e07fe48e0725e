/* How cells of the queue look. Everything is text: nothing that comes from data is ever taken for markup. */
(function () {
  'use strict';
  const h = (...all) => window.React.createElement(...all);
  const cells = window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {};

  /* Loading rows have no data yet. */
  const cell = draw => props => (props.data ? draw(props.data, props) : h('span', {className: 'q-wait'}));
  const dot = (name, title) => h('span', {className: 'q-glyph ' + name, title: title, 'aria-hidden': true});

  function link(href, text, title) {
    return h('a', {
      href: href, title: title, tabIndex: -1, className: 'q-link',
      onClick: event => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
        event.preventDefault();
        window.RRQueue.go(href);
      },
    }, text);
  }

  cells.QueueCase = cell(row => link('/case/' + row.id, row.case));

  cells.QueueSubject = cell(row => h('span', {className: 'q-subject'},
    row.fresh ? h('span', {className: 'q-fresh', role: 'img', 'aria-label': window.RRQueue.word('fresh'), title: window.RRQueue.word('fresh')}) : null,
    dot('q-' + row.kind, row.kind_said), link(row.href, row.subject),
    row.ended ? h('span', {className: 'q-ended', title: window.RRQueue.word('ended')}, '∅') : null));

  /* The pie fills with the score: one need not see the colour. */
  cells.QueueScore = cell(row => h('span', {className: 'q-score q-' + row.level},
    h('i', {className: 'q-pie', style: {'--q-share': Math.round(row.score * 100) + '%'}, 'aria-hidden': true}), row.score_said));

  cells.QueueGrown = cell(row => (row.grown ? h('span', {className: 'q-pill'}, row.grown) : ''));

  cells.QueueTime = cell((row, props) => {
    const name = props.colDef.field, text = row[name];
    return text ? h('span', {className: 'q-time q-' + row[name + '_is']}, text) : '';
  });

  cells.QueueOwner = cell(row => h('span', {className: row.mine ? 'q-owner q-mine' : 'q-owner'},
    row.locked ? h('span', {className: 'q-glyph q-lock', role: 'img', title: window.RRQueue.word('locked', {name: row.locked}), 'aria-label': window.RRQueue.word('locked', {name: row.locked})}) : null,
    row.owner || h('span', {className: 'q-nobody'}, '–')));

  cells.QueueStatus = cell(row => h('span', {className: 'q-status q-is-' + row.status_is}, row.status));

  cells.QueueDealer = cell(row => (row.dealer ? link('/dealer/' + encodeURIComponent(row.dealer), row.dealer) : ''));
})();
