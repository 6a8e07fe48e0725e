/* What was done, undone and done again: expansions, removals, folds, layouts, moves. */
(function () {
  'use strict';
  const RR = window.RR;
  const KEEP = 40;
  const done = [], undone = [];

  /* A step has a name, redo() and undo(); it is done now. */
  RR.step = function (step) {
    RR.state.touched = true;
    step.redo();
    done.push(step);
    if (done.length > KEEP) done.shift();
    undone.length = 0;
    marked();
  };
  RR.undo = function () {
    const step = done.pop();
    if (!step) return RR.say(RR.word('nothing to undo'));
    step.undo();
    undone.push(step);
    RR.say(RR.word('undone', {what: step.name}));
    marked();
  };
  RR.redo = function () {
    const step = undone.pop();
    if (!step) return RR.say(RR.word('nothing to redo'));
    step.redo();
    done.push(step);
    RR.say(RR.word('redone', {what: step.name}));
    marked();
  };
  RR.forget = function () { done.length = undone.length = 0; marked(); };
  RR.steps = () => ({done: done.length, undone: undone.length});
  function marked() {
    const set = (id, off) => { const button = RR.el(id); if (button) button.disabled = off; };
    set('canvas-undo', !done.length);
    set('canvas-redo', !undone.length);
  }

  RR.remove = function (ids) {
    const cy = RR.cy();
    if (!cy) return;
    let gone = cy.collection();
    ids.forEach(id => gone.merge(cy.getElementById(id)));
    if (!gone.length) return;
    const opened = gone.filter(e => e.data('fold')).map(e => e.id());
    opened.forEach(id => RR.unfoldQuietly(id));
    gone = gone.filter(e => e.inside());
    if (!gone.length) return RR.changed('elements');
    RR.step({
      name: RR.word('removal', {count: gone.length}),
      redo: () => { gone = gone.remove(); RR.changed('elements'); },
      undo: () => { gone.restore(); RR.changed('elements'); },
    });
    RR.say(RR.word('removed', {count: gone.nodes().length || gone.length}));
  };
})();
