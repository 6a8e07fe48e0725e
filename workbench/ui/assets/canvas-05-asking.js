/* Asking the server. Dash drops the older of two answers, so that one request goes after the other. */
(function () {
  'use strict';
  const RR = window.RR;
  const queue = [];
  let current = null, sequence = 0, working = false;

  RR.ask = (op, body) => new Promise((resolve, reject) => { queue.push({op, body, resolve, reject}); next(); });
  RR.asking = () => queue.length + (current ? 1 : 0);
  function next() {
    if (current || !queue.length) return;
    current = queue.shift();
    current.sequence = ++sequence;
    busy(current.op !== 'counts');
    RR.set('expand-req', {data: Object.assign({
      op: current.op, sequence: current.sequence, as_of: RR.state.asOf, known: RR.ids(),
      ring: RR.state.subject && RR.state.subject.kind === 'ring' ? RR.state.subject.name : '',
    }, current.body)});
    current.timer = setTimeout(() => failed(current), 30000);
  }
  RR.answered = function (delta) {
    if (!current || !delta || delta.sequence !== current.sequence) return;
    const one = current;
    clearTimeout(one.timer);
    current = null;
    busy(false);
    one.resolve(delta);
    next();
  };
  /* Whether the server works. When it does not, what still has no answer has failed, and a toast says why. */
  RR.working = function (is) {
    working = is;
    const one = current;
    if (!is) setTimeout(() => { if (!working) failed(one); }, 500);
  };
  function failed(one) {
    if (!one || one !== current) return;
    clearTimeout(one.timer);
    current = null;
    busy(false);
    one.reject(new Error('no answer'));
    next();
  }
  RR.hooks.push(() => {
    if (current) clearTimeout(current.timer);
    current = null;
    queue.length = 0;
  });
  function busy(is) {
    const place = document.querySelector('.canvas-box');
    if (place) place.classList.toggle('canvas-busy', is);
  }
})();
