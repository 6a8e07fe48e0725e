/* The slider over the canvas, and what the history panel lights. */
(function () {
  'use strict';
  var HIGHLIGHT = 'highlight', JUMP = 'as-of-jump';
  var lights = {}, pinned = null, stops = { of: '', at: [], said: [], short: [], now: '' };

  function jump(to, said) { window.dash_clientside.set_props(JUMP, { data: { to: to, said: said || '', ts: Date.now() } }); }

  /* The last stop at or before a time; -1 before the first. */
  function placeOf(iso) {
    var at = Date.parse(iso), place = -1;
    stops.at.forEach(function (each, number) { if (Date.parse(each) <= at) place = number; });
    return place;
  }

  function moved(value, asked, now) {
    var end = stops.at.length, why = (window.dash_clientside.callback_context.triggered[0] || {}).prop_id || '';
    if (why.indexOf('slider') > 0) return value >= end ? { place: end } : { place: value, iso: stops.at[value] };
    if (why.indexOf(JUMP) === 0 && asked) {
      if (asked.to === 'now') return { place: end };
      var here = now ? Math.max(placeOf(now), 0) : end;
      var exact = now && stops.at[here] === now;
      if (asked.to === 'prev') here = now && !exact ? here : Math.max(here - 1, 0);
      else if (asked.to === 'next') here = Math.min(here + 1, end);
      else return { place: Math.max(placeOf(asked.to), 0), iso: asked.to, said: asked.said };
      return here >= end ? { place: end } : { place: here, iso: stops.at[here] };
    }
    return now ? { place: Math.max(placeOf(now), 0), iso: now } : { place: end };
  }

  window.dashMantineFunctions = window.dashMantineFunctions || {};
  window.dashMantineFunctions.asOfStop = function (value) {
    return value >= stops.at.length ? stops.now : stops.short[value];
  };

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    passport: {
      move: function (value, asked, told, now) {
        var keep = window.dash_clientside.no_update;
        var another = told && stops.of && told.of !== stops.of;
        stops = told || stops;
        var to = another ? { place: stops.at.length } : moved(value, asked, now);
        var said = !to.iso ? stops.now : to.said || (stops.at[to.place] === to.iso ? stops.said[to.place] : to.iso);
        var iso = to.iso || null;
        return [to.place, stops.at.length, !stops.at.length, iso === (now || null) ? keep : iso, said, !iso,
          iso ? 'asof asof-past' : 'asof'];
      },
      keep: function (told) {
        lights = told || {};
        pin(null);
        return window.dash_clientside.no_update;
      },
    },
  });

  function light(key) { window.dash_clientside.set_props(HIGHLIGHT, { data: key && lights[key] ? lights[key] : null }); }
  function pin(key) {
    if (!key && !pinned) return;
    pinned = key;
    document.querySelectorAll('[data-pp-lit]').forEach(function (each) {
      each.setAttribute('aria-pressed', String(each.getAttribute('data-pp-lit') === key));
    });
    light(key);
  }
  function chipOf(event) { return event.target && event.target.closest ? event.target.closest('[data-pp-lit]') : null; }

  document.addEventListener('click', function (event) {
    var at = event.target.closest && event.target.closest('[data-asof]');
    if (at) { jump(at.getAttribute('data-asof'), at.getAttribute('data-said')); return; }
    var chip = chipOf(event);
    if (chip) { var key = chip.getAttribute('data-pp-lit'); pin(pinned === key ? null : key); }
  });
  document.addEventListener('mouseover', function (event) {
    var chip = chipOf(event);
    if (chip && !chip.contains(event.relatedTarget)) light(chip.getAttribute('data-pp-lit'));
  });
  document.addEventListener('mouseout', function (event) {
    var chip = chipOf(event);
    if (chip && !chip.contains(event.relatedTarget)) light(pinned);
  });
  document.addEventListener('keydown', function (event) {
    if (event.key === 'Escape' && pinned && !window.RRTyping(event)) pin(null);
  });
})();
