/* Lines of the why panel light what they rest on: under the pointer, under the keyboard, and for good when chosen. */
(function () {
  'use strict';
  var HIGHLIGHT = 'highlight', FOCUS = 'focus';
  var pinned = null, lights = {}, lit = null;

  function light(key) {
    var next = key && lights[key] ? key : null;
    if (next === lit) return;
    lit = next;
    window.dash_clientside.set_props(HIGHLIGHT, { data: next ? lights[next] : null });
  }
  function lineOf(event) {
    var at = event.target;
    return at && at.closest ? at.closest('.why [data-why-lit], .why-lits [data-why-lit]') : null;
  }
  function show(key) {
    document.querySelectorAll('[data-why-lit].why-pinned').forEach(function (each) {
      each.classList.remove('why-pinned');
      if (each.getAttribute('role') === 'button') each.setAttribute('aria-pressed', 'false');
    });
    pinned = key;
    if (!key) return;
    document.querySelectorAll('[data-why-lit="' + key + '"]').forEach(function (each) {
      each.classList.add('why-pinned');
      if (each.getAttribute('role') === 'button') each.setAttribute('aria-pressed', 'true');
    });
  }
  function pin(line) {
    var key = line.getAttribute('data-why-lit');
    show(pinned === key ? null : key);
    light(pinned);
    var focus = line.getAttribute('data-why-focus');
    if (focus && pinned) window.dash_clientside.set_props(FOCUS, { data: { id: focus, ts: Date.now() } });
  }

  document.addEventListener('mouseover', function (event) {
    var line = lineOf(event);
    if (line && !line.contains(event.relatedTarget)) light(line.getAttribute('data-why-lit'));
  });
  document.addEventListener('mouseout', function (event) {
    var line = lineOf(event);
    if (line && !line.contains(event.relatedTarget)) light(pinned);
  });
  document.addEventListener('focusin', function (event) {
    var line = lineOf(event);
    if (line && line.matches(':focus-visible')) light(line.getAttribute('data-why-lit'));
  });
  document.addEventListener('focusout', function (event) {
    var line = lineOf(event);
    if (line && !line.contains(event.relatedTarget)) light(pinned);
  });
  document.addEventListener('click', function (event) {
    var line = lineOf(event);
    if (line && !line.classList.contains('decide-member')) pin(line);
  });
  document.addEventListener('keydown', function (event) {
    var line = lineOf(event);
    if (event.key === 'Escape' && pinned && !window.RRTyping(event)) { show(null); light(null); return; }
    if (!line || line.getAttribute('role') !== 'button') return;
    if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); pin(line); }
  });
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    why: {
      /* What the lines of a panel light, once it was filled; another filling takes its place (keys begin alike). */
      keep: function (told) {
        var first = Object.keys(told || {})[0];
        if (!first) return window.dash_clientside.no_update;
        Object.keys(lights).forEach(function (key) { if (key[0] === first[0]) delete lights[key]; });
        Object.assign(lights, told);
        if (pinned && pinned[0] === first[0]) { show(null); light(null); }
        return window.dash_clientside.no_update;
      },
    },
  });
})();
