/* Small marks over the nodes: how many neighbours are not shown, and what is pinned. Drawn beside cytoscape's own canvas,
   so that an exported picture is free of them. */
(function () {
  'use strict';
  const RR = window.RR;
  const READABLE = .85, HUB = 40;

  RR.hooks.push(cy => {
    const canvas = document.createElement('canvas');
    canvas.className = 'canvas-badges';
    canvas.setAttribute('aria-hidden', 'true');
    cy.container().append(canvas);
    let waiting = false;
    const soon = () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; if (!cy.destroyed()) draw(cy, canvas); }); } };
    cy.on('render', soon);
    RR.redraw = soon;
  });

  const short = n => (n >= 10000 ? Math.round(n / 1000) + 'k' : n >= 1000 ? (n / 1000).toFixed(1) + 'k' : String(n));

  function draw(cy, canvas) {
    const ratio = window.devicePixelRatio || 1, w = cy.width(), h = cy.height();
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
      canvas.style.width = w + 'px';
      canvas.style.height = h + 'px';
    }
    const g = canvas.getContext('2d'), zoom = cy.zoom();
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, w, h);
    const all = zoom >= READABLE, size = Math.max(8.5, Math.min(11, 9.5 * zoom));
    g.font = '600 ' + size + 'px Inter, "Noto Sans", sans-serif';
    g.textAlign = 'center';
    g.textBaseline = 'middle';
    cy.nodes().forEach(n => {
      if (!n.visible() || n.hasClass('gone')) return;
      const pin = n.data('pin');
      const at = n.renderedPosition(), r = n.renderedOuterWidth() / 2;
      if (at.x < -40 || at.y < -40 || at.x > w + 40 || at.y > h + 40) return;
      g.globalAlpha = n.hasClass('dim') ? .15 : 1;
      if (!n.data('fold') && (all || n.data('links') >= HUB || n.selected())) {
        const more = RR.hiddenLinks(n);
        if (more && (all || more >= HUB || n.selected()) && zoom > .3) pill(g, at.x + r * .78, at.y - r * .82, '+' + short(more), size);
      }
      if (pin) {
        g.beginPath();
        g.arc(at.x - r * .78, at.y - r * .78, Math.max(2.5, 3.4 * zoom), 0, 7);
        g.fillStyle = '#1f2933';
        g.fill();
        g.lineWidth = 1.5;
        g.strokeStyle = '#fff';
        g.stroke();
      }
    });
    g.globalAlpha = 1;
  }
  function pill(g, x, y, text, size) {
    const w = g.measureText(text).width + size * .8, h = size * 1.45;
    g.beginPath();
    g.roundRect(x - w / 2, y - h / 2, w, h, h / 2);
    g.fillStyle = '#fff';
    g.fill();
    g.lineWidth = 1;
    g.strokeStyle = '#ced4da';
    g.stroke();
    g.fillStyle = '#495057';
    g.fillText(text, x, y + .5);
  }
  RR.onChange(() => RR.redraw && RR.redraw());
})();
