/* The legend is a filter with counts; the brush over the times of links is another. */
(function () {
  'use strict';
  const RR = window.RR;
  const BINS = 72;
  let domain = null;

  RR.applyFilters = function () {
    const cy = RR.cy();
    if (!cy) return;
    const off = RR.state.off, range = RR.state.range;
    cy.batch(() => {
      cy.elements('.off').removeClass('off');
      if (off.size) cy.nodes().filter(n => off.has(n.data('type'))).addClass('off');
      if (range) {
        cy.edges().filter(e => e.data('time') !== undefined && (e.data('time') < range[0] || e.data('time') > range[1])).addClass('off');
        cy.nodes().filter(n => !n.hasClass('off') && n.degree(false) > 0 && n.connectedEdges().every(e => e.hasClass('off'))).addClass('off');
      }
      cy.nodes('.off').connectedEdges().addClass('off');
    });
    RR.changed('filter');
  };
  RR.clearFilters = function () { RR.state.off = new Set(); RR.state.range = null; domain = null; };
  RR.setFilters = function (off, range) {
    RR.state.off = new Set(off);
    RR.state.range = range;
    RR.applyFilters();
    drawLegend();
    drawTime();
  };

  /* Legend -------------------------------------------------------------------------------------------------- */

  document.addEventListener('click', e => {
    const one = e.target.closest && e.target.closest('.canvas-legend-item');
    if (!one) return;
    const type = one.dataset.type, off = RR.state.off;
    const present = [...document.querySelectorAll('.canvas-legend-item')].filter(b => !b.hidden).map(b => b.dataset.type);
    if (e.shiftKey || e.altKey) {
      const alone = present.every(t => (t === type) !== off.has(t));
      RR.state.off = new Set(alone ? [] : present.filter(t => t !== type));
    } else if (off.has(type)) off.delete(type); else off.add(type);
    RR.applyFilters();
    drawLegend();
  });

  function drawLegend() {
    const cy = RR.cy();
    if (!cy) return;
    const count = {};
    cy.nodes().not('.gone').forEach(n => { const f = n.data('fold'), t = n.data('type'); count[t] = (count[t] || 0) + (f ? n.data('count') : 1); });
    document.querySelectorAll('.canvas-legend-item').forEach(item => {
      const number = count[item.dataset.type] || 0;
      item.hidden = !number;
      item.setAttribute('aria-pressed', String(!RR.state.off.has(item.dataset.type)));
      item.querySelector('.canvas-count').textContent = RR.number(number);
    });
    const reset = RR.el('canvas-unfilter');
    if (reset) reset.hidden = !RR.state.off.size && !RR.state.range;
  }

  function drawStatus() {
    const cy = RR.cy(), place = RR.el('graph-status');
    if (!cy || !place) return;
    const nodes = cy.nodes().not('.gone'), edges = cy.edges().not('.gone').filter(e => !e.data('foldEdge'));
    const folded = RR.folded().length, off = nodes.filter('.off').length;
    let text = RR.word('status', {nodes: RR.number(nodes.filter(n => !n.data('fold')).length + folded), edges: RR.number(edges.length + RR.foldedEdges())});
    if (folded) text += ' · ' + RR.word('folded', {count: RR.number(folded)});
    if (off) text += ' · ' + RR.word('hidden', {count: RR.number(off)});
    const ghosts = cy.nodes('.gone').length;
    if (ghosts) text += ' · ' + RR.word('gone', {count: RR.number(ghosts)});
    if (place.textContent !== text) place.textContent = text;
    const left = RR.el('canvas-left'), counts = Object.values(RR.state.left || {}).reduce((a, b) => a + b, 0);
    if (left) { left.hidden = !counts; left.textContent = RR.word('left out', {count: RR.number(counts)}); }
  }

  /* Time ---------------------------------------------------------------------------------------------------- */

  const DAY = 86400000;
  function times() {
    const cy = RR.cy();
    return cy ? cy.edges().not('.gone').filter(e => e.data('time') > 0).map(e => e.data('time')).concat(RR.timesInFolds()) : [];
  }

  function drawTime() {
    const box = RR.el('canvas-time'), all = times();
    if (!box) return;
    box.classList.toggle('canvas-time-none', all.length < 2);
    if (all.length < 2) { box.replaceChildren(); domain = null; return; }
    all.sort((a, b) => a - b);
    const last = all[all.length - 1], first = Math.max(all[Math.floor(all.length * .04)], last - 3 * 365 * DAY);
    const span = Math.max(last - first, 7 * DAY);
    domain = {from: first - span * .02, to: last + span * .02, oldest: all[0]};
    const step = (domain.to - domain.from) / BINS, bins = new Array(BINS).fill(0);
    all.forEach(t => { bins[Math.max(0, Math.min(BINS - 1, Math.floor((t - domain.from) / step)))]++; });
    const most = Math.max(...bins), range = RR.state.range;
    if (!box.querySelector('.canvas-bars')) build(box);
    const bars = box.querySelector('.canvas-bars');
    bars.replaceChildren(...bins.map((n, i) => {
      const bar = document.createElement('i'), at = domain.from + (i + .5) * step;
      bar.style.height = n ? Math.max(8, 100 * Math.sqrt(n / most)) + '%' : '1px';
      if (range && (at < range[0] || at > range[1])) bar.className = 'canvas-bar-off';
      return bar;
    }));
    ticks(box.querySelector('.canvas-ticks'));
    brush(box);
  }

  function build(box) {
    box.innerHTML = '<div class="canvas-bars" aria-hidden="true"></div><div class="canvas-brush"><div class="canvas-window"></div>'
      + '<div class="canvas-handle" role="slider" tabindex="0" data-end="0"></div><div class="canvas-handle" role="slider" tabindex="0" data-end="1"></div></div>'
      + '<div class="canvas-ticks" aria-hidden="true"></div>';
    const area = box.querySelector('.canvas-brush');
    box.querySelectorAll('.canvas-handle').forEach((handle, end) => {
      handle.setAttribute('aria-label', RR.word(end ? 'brush to' : 'brush from'));
      handle.addEventListener('keydown', e => {
        const by = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -8, PageUp: 8}[e.key];
        if (by === undefined && e.key !== 'Home' && e.key !== 'End') return;
        e.preventDefault();
        const range = now(), step = (domain.to - domain.from) / BINS;
        range[end] = e.key === 'Home' ? domain.from : e.key === 'End' ? domain.to : range[end] + by * step;
        setRange(range, end);
      });
    });
    area.addEventListener('pointerdown', e => {
      const at = time(area, e), range = now(), handle = e.target.closest('.canvas-handle'), inside = e.target.closest('.canvas-window');
      let mode = handle ? handle.dataset.end : inside && RR.state.range ? 'move' : 'new';
      const start = mode === 'new' ? at : null, offset = [at - range[0], at - range[1]];
      e.preventDefault();
      if (handle) handle.focus();
      area.setPointerCapture(e.pointerId);
      const move = m => {
        const t = time(area, m);
        if (mode === 'new') { if (Math.abs(t - start) > (domain.to - domain.from) / 120) setRange([Math.min(start, t), Math.max(start, t)]); }
        else if (mode === 'move') {
          const width = range[1] - range[0], from = Math.max(domain.from, Math.min(domain.to - width, t - offset[0]));
          setRange([from, from + width]);
        } else { const next = now(); next[Number(mode)] = t; setRange(next, Number(mode)); }
      };
      const up = () => { area.removeEventListener('pointermove', move); area.removeEventListener('pointerup', up); area.removeEventListener('pointercancel', up); };
      area.addEventListener('pointermove', move);
      area.addEventListener('pointerup', up);
      area.addEventListener('pointercancel', up);
    });
    area.addEventListener('dblclick', () => setRange(null));
  }
  function now() { return RR.state.range ? RR.state.range.slice() : [domain.from, domain.to]; }
  function time(area, e) {
    const box = area.getBoundingClientRect();
    return domain.from + Math.max(0, Math.min(1, (e.clientX - box.left) / box.width)) * (domain.to - domain.from);
  }
  let waiting = null;
  function setRange(range, end) {
    if (range) {
      const least = (domain.to - domain.from) / BINS;
      range = range.map(t => Math.max(domain.from, Math.min(domain.to, t)));
      if (range[1] - range[0] < least) { if (end === 0) range[0] = range[1] - least; else range[1] = range[0] + least; }
      if (range[0] <= domain.from && range[1] >= domain.to) range = null;
    }
    RR.state.range = range;
    if (range && range[0] <= domain.from) RR.state.range = [Math.min(domain.oldest, range[0]), range[1]];
    const box = RR.el('canvas-time');
    if (box) brush(box);
    if (!waiting) waiting = requestAnimationFrame(() => { waiting = null; RR.applyFilters(); drawTime(); drawLegend(); });
  }
  function brush(box) {
    const range = RR.state.range ? [Math.max(domain.from, RR.state.range[0]), RR.state.range[1]] : [domain.from, domain.to];
    const share = t => 100 * (t - domain.from) / (domain.to - domain.from);
    const pane = box.querySelector('.canvas-window');
    pane.style.left = share(range[0]) + '%';
    pane.style.width = share(range[1]) - share(range[0]) + '%';
    pane.classList.toggle('canvas-window-on', !!RR.state.range);
    box.querySelectorAll('.canvas-handle').forEach((handle, end) => {
      handle.style.left = share(range[end]) + '%';
      handle.setAttribute('aria-valuemin', String(Math.round(domain.from / DAY)));
      handle.setAttribute('aria-valuemax', String(Math.round(domain.to / DAY)));
      handle.setAttribute('aria-valuenow', String(Math.round(range[end] / DAY)));
      handle.setAttribute('aria-valuetext', day(range[end]));
    });
    const said = RR.el('canvas-time-said');
    if (said) said.textContent = RR.state.range ? day(range[0]) + ' – ' + day(range[1]) : '';
  }
  function day(t) { return new Date(t + 8 * 3600000).toISOString().slice(0, 10); }
  /* Months of China, or weeks where there are few. */
  function ticks(place) {
    const span = domain.to - domain.from, months = span / (30.4 * DAY), found = [];
    const step = [1, 2, 3, 6, 12].find(each => months / each <= 11) || 12, weekly = months < 2.5;
    const at = new Date(domain.from + 8 * 3600000);
    at.setUTCHours(0, 0, 0, 0);
    if (!weekly) at.setUTCDate(1);
    for (let i = 0; i < 160; i++) {
      if (weekly) at.setUTCDate(at.getUTCDate() + 7); else at.setUTCMonth(at.getUTCMonth() + 1);
      const t = at.getTime() - 8 * 3600000, share = (t - domain.from) / span;
      if (share > .98) break;
      if (share < .02 || (!weekly && at.getUTCMonth() % step)) continue;
      const tick = document.createElement('span');
      tick.style.left = 100 * share + '%';
      tick.textContent = at.toISOString().slice(0, weekly ? 10 : 7);
      found.push(tick);
    }
    place.replaceChildren(...found);
  }

  RR.onChange(kind => {
    if (kind === 'elements' || kind === 'folded' || kind === 'opened') { drawLegend(); drawTime(); drawStatus(); }
    if (kind === 'filter') { drawLegend(); drawStatus(); }
  });
})();
