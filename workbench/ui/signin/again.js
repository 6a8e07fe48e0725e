/* Who follows a link from a mail comes without cookies (SameSite=Strict), though signed in: one step from here has them. */
(function () {
  var body = document.body, name = body.dataset.signedBy;
  if (name && document.cookie.split("; ").some(function (each) { return each.indexOf(name + "=") === 0; })) {
    location.replace(body.dataset.onward);
  }
})();
