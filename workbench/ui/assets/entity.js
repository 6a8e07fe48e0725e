/* What the buttons of the entity panel do. They are drawn by the server again and again, so one listener serves all. */
(function () {
  'use strict';
  const set = (id, props) => window.dash_clientside.set_props(id, props);

  const acts = {
    expand: told => window.RR.expand(told.id, told.relation ? {types: [told.type], relations: [told.relation]} : {}),
    centre: told => set('focus', {data: {id: told.id, ts: Date.now()}}),
    pin: told => { window.RR.pin([told.id], !pinned(told.id)); marked(); },
    mark: told => set('mark-ask', {data: {thing: told.id, ts: Date.now()}}),
    reveal: told => set('reveal', {data: {type: told.type, key: told.key, masked: told.masked, ts: Date.now()}}),
  };
  function pinned(id) {
    const cy = window.RR.cy(), node = cy && cy.getElementById(id);
    return Boolean(node && node.length && node.data('pin'));
  }
  /* A pin is the browser's own: the server that draws the button does not know of it. */
  function marked() {
    document.querySelectorAll('.ent [data-ent=pin]').forEach(button => button.setAttribute('aria-pressed', String(pinned(button.dataset.id))));
  }
  document.addEventListener('click', e => {
    const button = e.target.closest && e.target.closest('.ent [data-ent]');
    if (button && window.RR.cy()) acts[button.dataset.ent](button.dataset);
  });
  window.RR.onChange(kind => { if (kind === 'moved' || kind === 'elements') marked(); });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {entity: {
    drawn: () => { requestAnimationFrame(marked); return window.dash_clientside.no_update; },
  }});
})();
