/* Choosing whom a label is about, and what the menu of the canvas offers to say of links and things. */
(function () {
  'use strict';
  var RR = window.RR = window.RR || {};

  function members(lights) {
    return Object.keys(lights || {}).reduce(function (all, key) { return all.concat(lights[key].nodes); }, [])
      .map(function (id) { return id.slice('Application~'.length); });
  }
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    decide: {
      /* All, or none where all are chosen already. */
      all: function (clicks, chosen, lights) {
        if (!clicks) return window.dash_clientside.no_update;
        var every = members(lights);
        return (chosen || []).length === every.length ? [] : every;
      },
      /* Those of the ring that are selected on the canvas. */
      selected: function (clicks, selected, lights) {
        if (!clicks) return window.dash_clientside.no_update;
        var every = new Set(members(lights));
        return (selected || []).filter(function (id) { return id.indexOf('Application~') === 0; })
          .map(function (id) { return id.slice('Application~'.length); })
          .filter(function (name) { return every.has(name); });
      },
    },
  });

  /* A button may lead to another tab beside the canvas. */
  document.addEventListener('click', function (event) {
    var to = event.target.closest && event.target.closest('[data-why-tab]');
    if (to) window.dash_clientside.set_props('inv-tabs', { value: to.getAttribute('data-why-tab') });
  });

  function word(name) {
    var kept = document.getElementById('mark-words');
    return (kept && kept.dataset[name]) || '';
  }
  function ask(what) {
    window.dash_clientside.set_props('mark-ask', { data: Object.assign({ ts: Date.now() }, what) });
  }
  function link(edge) { return [edge.data('relation'), edge.data('source'), edge.data('target')]; }
  function counts(edge) {
    return edge.data('weight') > 0 && edge.data('relation') !== 'APPLIED' && !edge.data('alike') && !edge.data('foldEdge');
  }
  function thing(node) {
    return !node.data('fold') && ['Application', 'Dealer', 'Salesperson', 'Reviewer', 'Region', 'Institution'].indexOf(node.data('type')) < 0;
  }
  if (RR.addMenuItem) {
    RR.addMenuItem({ id: 'mark-link', on: 'edge', group: 4, text: function () { return word('link'); },
      when: function (e) { return word('link') && counts(e) && !e.data('innocent'); },
      run: function (e) { ask({ link: link(e) }); } });
    RR.addMenuItem({ id: 'mark-end', on: 'edge', group: 4, text: function () { return word('end'); },
      when: function (e) { return word('end') && e.data('innocent'); },
      run: function (e) { ask({ end: 'link', id: e.data('innocent') }); } });
    RR.addMenuItem({ id: 'mark-thing', group: 5, text: function () { return word('thing'); },
      when: function (n) { return word('thing') && thing(n); },
      run: function (n) { ask({ thing: n.id() }); } });
    RR.addMenuItem({ id: 'mark-role', group: 5, text: function () { return word('role'); },
      when: function (n) { return word('role') && !n.data('fold') && RR.subject && (RR.subject() || {}).kind === 'ring'; },
      run: function (n) { window.dash_clientside.set_props('role-store', { data: { id: n.id(), ts: Date.now() } }); } });
  }
})();
