/* What our own scripts ask of our own server shows the session's token; when the session is over, the door is next. */
(function () {
  var NAMES = ["__Host-ringroad-csrf", "ringroad-csrf"], SAFE = ["GET", "HEAD", "OPTIONS"], QUIET_MS = 60000;
  var plain = window.fetch.bind(window), touched = Date.now(), leaving = false;

  function token() {
    var kept = {};
    document.cookie.split("; ").forEach(function (each) {
      var at = each.indexOf("=");
      kept[each.slice(0, at)] = each.slice(at + 1);
    });
    return kept[NAMES[0]] || kept[NAMES[1]] || "";
  }

  function toTheDoor() {
    if (leaving) { return; }
    leaving = true;
    location.assign("/login?next=" + encodeURIComponent(location.pathname + location.search));
  }

  ["pointerdown", "pointermove", "keydown", "wheel"].forEach(function (each) {
    window.addEventListener(each, function () { touched = Date.now(); }, { passive: true, capture: true });
  });

  window.fetch = function (input, init) {
    var asked = new Request(input, init);
    if (new URL(asked.url).origin !== location.origin) { return plain(asked); }
    if (SAFE.indexOf(asked.method) < 0) { asked.headers.set("X-CSRF-Token", token()); }
    if (Date.now() - touched > QUIET_MS) { asked.headers.set("X-Ringroad-Idle", "1"); }
    return plain(asked).then(function (answer) {
      if (answer.status !== 401) { return answer; }
      toTheDoor();
      return new Promise(function () {});  // nobody is here any more to hear of it
    });
  };
})();
