/* Where one is, shown in the rail and the window's title; `/` goes to the search. */
(function () {
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    shell: {
      here: function (href, title) {
        document.querySelectorAll('.rr-rail-item').forEach(function (each) {
          if (href && each.getAttribute('href') === href) each.setAttribute('aria-current', 'page');
          else each.removeAttribute('aria-current');
        });
        if (title) document.title = title;
        var lang = document.querySelector('.rr');
        if (lang) document.documentElement.lang = lang.getAttribute('lang');
        return window.dash_clientside.no_update;
      },
      reload: function (asked) {
        if (asked) window.location.reload();
        return window.dash_clientside.no_update;
      },
    },
  });
  window.RRTyping = function (event) {
    var at = event.target;
    return at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName);
  };
  document.addEventListener('keydown', function (event) {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || window.RRTyping(event)) return;
    var box = document.getElementById('search');
    if (box) { event.preventDefault(); box.focus(); box.select && box.select(); }
  });
})();
