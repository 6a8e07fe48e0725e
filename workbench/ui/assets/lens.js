/* Cells of the lists of dealers and vehicles, and what their filters do. */
(function () {
  'use strict';
  var React = window.React, h = React.createElement;
  window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {};
  var cells = window.dashAgGridComponentFunctions;

  function go(event, href) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    window.history.pushState({}, '', href);
    window.dispatchEvent(new CustomEvent('_dashprivate_pushstate'));
  }
  function part(value) { return (100 * value).toFixed(2) + '%'; }

  /* A name that leads to its page, with what stands under it. */
  cells.LensName = function (props) {
    var row = props.data;
    if (!row) return null;
    var link = h('a', { href: row.href, key: 'a', className: 'lens-link', onClick: function (event) { go(event, row.href); } }, props.value);
    var under = h('span', { key: 'u', className: 'lens-under' }, [row.under || row.code, row.alert ? h('b', { key: 'b', className: 'lens-alert' }, row.alert) : null]);
    return h('div', { className: 'lens-two' }, [link, under]);
  };

  /* A share, its interval, and what peers have. */
  cells.LensRate = function (props) {
    var one = props.value;
    if (!one) return null;
    return h('div', { className: 'lens-rate' + (one.strong ? ' lens-strong' : ''), title: one.said }, [
      h('span', { key: 't', className: 'lens-rate-text' }, one.text),
      h('span', { key: 'b', className: 'lens-rate-bar', 'aria-hidden': true }, [
        h('i', { key: 'r', className: 'lens-range', style: { left: part(one.low), width: part(Math.max(one.high - one.low, 0.005)) } }),
        h('i', { key: 'e', className: 'lens-peers', style: { left: part(one.expected) } }),
        h('i', { key: 'm', className: 'lens-mean', style: { left: part(one.mean) } }),
      ]),
      h('span', { key: 'u', className: 'lens-rate-under' }, one.under),
    ]);
  };

  /* A figure that stands out or not, with what stands under it. */
  cells.LensMark = function (props) {
    var one = props.value;
    if (!one) return null;
    return h('div', { className: 'lens-two' + (one.strong ? ' lens-strong' : ''), title: one.said }, [
      h('span', { key: 't', className: 'lens-rate-text' }, one.text),
      h('span', { key: 'u', className: 'lens-under' }, one.under),
    ]);
  };

  /* Short words in frames. */
  cells.LensChips = function (props) {
    var all = (props.value || []).map(function (one) { return one.text; }).join(', ');
    return h('div', { className: 'lens-chips', title: all }, (props.value || []).map(function (one) {
      return h('span', { key: one.text, className: 'lens-chip lens-' + one.tone }, one.text);
    }));
  };

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    lens: {
      /* Other filters: what the grid kept of the answers before is of no use. */
      again: function (asked) {
        var id = asked && asked.grid;
        if (id && document.getElementById(id)) {
          window.dash_ag_grid.getApiAsync(id).then(function (api) {
            if (api.getDisplayedRowCount()) api.ensureIndexVisible(0);
            /* Few blocks: the old rows stay until the new ones are there. */
            if (Object.keys(api.getCacheBlockState() || {}).length <= 2) api.refreshInfiniteCache();
            else api.purgeInfiniteCache();
          });
        }
        return window.dash_clientside.no_update;
      },
    },
  });

  /* Enter on a row opens it. */
  document.addEventListener('keydown', function (event) {
    if (event.key !== 'Enter' || !event.target.closest) return;
    var row = event.target.closest('.lens-grid .ag-row');
    var link = row && document.querySelector('.lens-grid .ag-row[row-id="' + row.getAttribute('row-id') + '"] a.lens-link');
    if (link) { event.preventDefault(); link.click(); }
  });
})();
