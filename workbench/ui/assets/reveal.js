/* An identifier stays on the screen for half a minute, or until its dialog is closed. */
(function () {
  var SECONDS = 30, timer = null;

  function hide(said) {
    clearInterval(timer);
    timer = null;
    window.dash_clientside.set_props("reveal-value", { children: "" });
    window.dash_clientside.set_props("reveal-left", { children: said });
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    reveal: {
      count: function (value, words) {
        if (!value) { return window.dash_clientside.no_update; }
        var left = SECONDS;
        clearInterval(timer);
        window.dash_clientside.set_props("reveal-left", { children: words[0].replace("{}", left) });
        timer = setInterval(function () {
          left -= 1;
          if (left <= 0) { hide(words[1]); return; }
          window.dash_clientside.set_props("reveal-left", { children: words[0].replace("{}", left) });
        }, 1000);
        return window.dash_clientside.no_update;
      },
      closed: function (opened) {
        if (!opened) { hide(""); }
        return window.dash_clientside.no_update;
      },
    },
  });
})();
