/* Only what is new since the last visit: a filter beside those of the legend and of time. */
(function () {
  'use strict';
  const RR = window.RR;
  let on = false;

  RR.freshOnly = () => on;
  const plain = RR.applyFilters;
  RR.applyFilters = function () {
    plain();
    const cy = RR.cy();
    if (!cy || !on) return;
    cy.batch(() => {
      const fresh = cy.nodes('[fresh]').union(cy.edges('[fresh]')), near = fresh.union(fresh.edges().connectedNodes());
      cy.nodes().not(near).addClass('off');
      cy.nodes('.off').connectedEdges().addClass('off');
    });
    RR.changed('filter');
  };
  RR.setFreshOnly = function (wanted) {
    const cy = RR.cy();
    if (!cy || on === wanted) return;
    if (wanted && !cy.elements('[fresh]').length) return RR.say(words().none);
    on = wanted;
    if (on) RR.unfoldAll(true);
    RR.applyFilters();
    draw();
  };

  const button = () => document.getElementById('fresh-only');
  const words = () => JSON.parse(button().dataset.words);
  function draw() {
    const one = button(), cy = RR.cy();
    if (!one || !cy) return;
    const count = cy.nodes('[fresh]').not('.gone').length + RR.foldedFacts().filter(fact => fact.fresh).length;
    const there = count > 0 || cy.edges('[fresh]').length > 0;
    if (!there && on) { on = false; RR.applyFilters(); }
    one.hidden = !there;
    if (!there) return;
    const seen = RR.state.seen ? new Date(RR.state.seen).toLocaleDateString(document.documentElement.lang || 'en', {day: 'numeric', month: 'short', year: 'numeric'}) : '';
    one.textContent = words().count.replace('{count}', RR.number(count));
    one.title = words().title.replace('{day}', seen) + ' (N)';
    one.setAttribute('aria-label', words().count.replace('{count}', count) + '. ' + words().title.replace('{day}', seen));
    one.setAttribute('aria-pressed', String(on));
  }
  RR.onChange(kind => { if (kind === 'opened' && RR.state.fresh !== RR.state.subject) { RR.state.fresh = RR.state.subject; on = false; } if (kind === 'opened' || kind === 'elements') draw(); });
  RR.addKey('n', () => { if (button()) RR.setFreshOnly(!on); });
  document.addEventListener('click', e => { if (e.target.closest && e.target.closest('#fresh-only')) RR.setFreshOnly(!on); });
})();
