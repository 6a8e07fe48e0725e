/* The graph as an SVG, written by ourselves: every node where it stands on the screen, text as text, glyphs as paths. */
(function () {
  'use strict';
  const RR = window.RR;
  const MARGIN = 28, FOOT = 26, WIDEST = 118, CUT = 8;
  const SVG = 'http://www.w3.org/2000/svg';
  const FONT = 'Inter, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif';

  /* Cytoscape's polygons, fitted to a square of -1 to 1. */
  const POINTS = {
    hexagon: [-.5, -1, .5, -1, 1, 0, .5, 1, -.5, 1, -1, 0],
    octagon: [-.414, -1, .414, -1, 1, -.414, 1, .414, .414, 1, -.414, 1, -1, .414, -1, -.414],
    pentagon: [0, -1, 1, -.236, .618, 1, -.618, 1, -1, -.236],
    tag: [-1, -1, .25, -1, 1, 0, .25, 1, -1, 1],
  };

  const round = n => Math.round(n * 100) / 100;
  function make(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => { if (value !== undefined && value !== null && value !== '') made.setAttribute(key, typeof value === 'number' ? round(value) : value); });
    if (text !== undefined) made.textContent = text;
    return made;
  }

  let ruler = null;
  function short(text, font) {
    ruler = ruler || document.createElement('canvas').getContext('2d');
    ruler.font = font;
    if (ruler.measureText(text).width <= WIDEST) return text;
    let cut = [...text];
    while (cut.length > 1 && ruler.measureText(cut.join('') + '…').width > WIDEST) cut = cut.slice(0, -1);
    return cut.join('') + '…';
  }

  function dashes(style, width, pattern) {
    if (style === 'dashed') return (pattern || [6, 3]).join(' ');
    return style === 'dotted' ? '1 ' + Math.max(2, width * 1.4) : null;
  }

  /* Edges ---------------------------------------------------------------------------------------------------- */

  function edge(e) {
    const from = e.sourceEndpoint(), to = e.targetEndpoint(), bends = e.controlPoints() || [];
    if (![from, to].every(p => p && Number.isFinite(p.x) && Number.isFinite(p.y))) return null;
    const at = p => round(p.x) + ' ' + round(p.y);
    const path = bends.length ? 'M' + at(from) + ' Q' + at(bends[0]) + ' ' + at(to) : 'M' + at(from) + ' L' + at(to);
    const width = e.numericStyle('width');
    const pattern = e.style('line-style') === 'dashed' ? String(e.style('line-dash-pattern')).split(/[\s,]+/).map(parseFloat).filter(Number.isFinite) : null;
    return make('path', {
      d: path, fill: 'none', stroke: e.style('line-color'), 'stroke-width': width, 'stroke-opacity': e.effectiveOpacity(),
      'stroke-dasharray': dashes(e.style('line-style'), width, pattern && pattern.length ? pattern : null), 'stroke-linecap': 'round',
      class: 'edge', 'data-relation': e.data('relation'), 'data-source': e.data('source'), 'data-target': e.data('target'),
    });
  }

  /* Nodes ---------------------------------------------------------------------------------------------------- */

  function outline(shape, w, h, attributes) {
    const plain = shape.replace('round-', '');
    if (POINTS[plain]) {
      const points = POINTS[plain].map((n, i) => round(n * (i % 2 ? h : w) / 2));
      return make('polygon', Object.assign({points: points.join(' '), 'stroke-linejoin': 'round'}, attributes));
    }
    if (shape === 'cut-rectangle') {
      const x = w / 2, y = h / 2, c = CUT;
      return make('polygon', Object.assign({points: [-x + c, -y, x - c, -y, x, -y + c, x, y - c, x - c, y, -x + c, y, -x, y - c, -x, -y + c].map(round).join(' ')}, attributes));
    }
    if (plain === 'rectangle') return make('rect', Object.assign({x: -w / 2, y: -h / 2, width: w, height: h, rx: shape === 'rectangle' ? 0 : Math.min(w, h) / 4}, attributes));
    return make('ellipse', Object.assign({rx: w / 2, ry: h / 2}, attributes));
  }

  function halo(n, name, w, h) {
    const opacity = n.numericStyle(name + '-opacity');
    if (!(opacity > 0)) return null;
    const by = 2 * n.numericStyle(name + '-padding');
    return make('ellipse', {rx: (w + by) / 2, ry: (h + by) / 2, fill: n.style(name + '-color'), 'fill-opacity': opacity});
  }

  function node(n) {
    const at = n.position(), w = n.width(), h = n.height(), border = n.numericStyle('border-width');
    const group = make('g', {
      transform: 'translate(' + round(at.x) + ' ' + round(at.y) + ')', opacity: n.effectiveOpacity() < 1 ? n.effectiveOpacity() : null,
      class: 'node', 'data-id': n.id(), 'data-type': n.data('type'),
    });
    const style = n.style('border-style'), shape = n.style('shape'), double = style === 'double' && border > 2;
    group.append(...[
      make('title', {}, String(n.data('label')).replace('\n', ' · ')),
      halo(n, 'underlay', w, h),
      outline(shape, w, h, {
        fill: n.style('background-color'), 'fill-opacity': n.numericStyle('background-opacity'), stroke: border ? n.style('border-color') : null,
        'stroke-width': double ? border / 3 : border || null, 'stroke-dasharray': dashes(style, border),
      }),
      double ? outline(shape, w + border * 1.4, h + border * 1.4, {fill: 'none', stroke: n.style('border-color'), 'stroke-width': border / 3}) : null,
      glyph(n, w, h),
      halo(n, 'overlay', w, h),
      ...words(n, h),
    ].filter(Boolean));
    return group;
  }

  function glyph(n, w, h) {
    const uri = [].concat(n.style('background-image'))[0] || '', found = /<path d="([^"]+)"/.exec(decodeURIComponent(String(uri).replace(/^url\(["']?|["']?\)$/g, '').split(',').slice(1).join(',') || ''));
    if (!found) return null;
    const scale = .56 * Math.min(w, h) / 24;
    return make('path', {
      d: found[1], fill: 'none', stroke: '#fff', 'stroke-width': 1.9, 'stroke-linecap': 'round', 'stroke-linejoin': 'round',
      transform: 'translate(' + round(-12 * scale) + ' ' + round(-12 * scale) + ') scale(' + round(scale * 100) / 100 + ')',
    });
  }

  function words(n, h) {
    const size = n.numericStyle('font-size'), weight = String(n.style('font-weight')) === 'bold' || Number(n.style('font-weight')) >= 600 ? 700 : 400;
    const inside = n.style('text-valign') === 'center', lines = String(n.data('label')).split('\n');
    return lines.map((line, at) => make('text', {
      y: inside ? size * .35 : h / 2 + n.numericStyle('border-width') / 2 + size + at * size * 1.2, 'text-anchor': 'middle', 'font-size': size, 'font-weight': weight, fill: n.style('color'),
      stroke: inside ? null : '#fff', 'stroke-width': inside ? null : 3, 'paint-order': inside ? null : 'stroke', 'stroke-linejoin': 'round',
    }, short(line, weight + ' ' + size + 'px ' + FONT)));
  }

  /* The whole ------------------------------------------------------------------------------------------------ */

  /* `foot` stands under the drawing. Text, not an element: it leaves as a file. */
  RR.svg = function (cy, title, foot) {
    const shown = cy.elements(':visible'), box = shown.boundingBox();
    const x = box.x1 - MARGIN, y = box.y1 - MARGIN, w = Math.max(box.w + 2 * MARGIN, 420), h = box.h + 2 * MARGIN + FOOT;
    const root = make('svg', {xmlns: SVG, viewBox: [x, y, w, h].map(round).join(' '), width: round(w), height: round(h), 'font-family': FONT, role: 'img'});
    root.append(make('title', {}, title), make('rect', {x: x, y: y, width: w, height: h, fill: '#fff', class: 'paper'}));
    const lines = make('g', {class: 'edges'}), dots = make('g', {class: 'nodes'});
    shown.edges().forEach(e => { const one = edge(e); if (one) lines.append(one); });
    shown.nodes().forEach(n => dots.append(node(n)));
    root.append(lines, dots, make('text', {x: x + 14, y: y + h - 10, 'font-size': 11, fill: '#5b6672', class: 'foot'}, foot));
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + new XMLSerializer().serializeToString(root);
  };
})();
