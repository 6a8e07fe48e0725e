/* Links in the tables of labels. Everything is text: nothing that comes from data is ever taken for markup. */
(function () {
  'use strict';
  const h = (...all) => window.React.createElement(...all);
  const cells = window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {};

  function go(href) {
    window.history.pushState({}, '', href);
    window.dispatchEvent(new CustomEvent('_dashprivate_pushstate'));
  }
  const link = (href, text) => (!href || !text ? '' : h('a', {
    href: href, className: 'rr-link', onClick: event => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      event.stopPropagation();
      go(href);
    },
  }, text));
  const cell = draw => props => (props.data ? draw(props.data) : null);

  cells.LabelApplication = cell(row => link('/application/' + encodeURIComponent(row.application), row.application));
  cells.LabelRing = cell(row => link(row.ring && '/ring/' + row.ring, row.ring));
  cells.LabelCase = cell(row => link(row.caseHref, row.case));
})();
