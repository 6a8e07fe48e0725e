/* What is asked to leave: the server writes down who takes it, then the picture is drawn here, or the file comes. */
(function () {
  'use strict';
  const RR = window.RR;
  const FINE = 4, LONGEST = 16000, AREA = 1.2e8, MARGIN = 28, FOOT = 26;

  const ask = (id, told) => window.dash_clientside.set_props(id, {data: Object.assign({as_of: RR.state.asOf, subject: RR.subject(), ts: Date.now()}, told)});
  function word(key, values) {
    const place = document.getElementById('export-words'), words = place ? JSON.parse(place.dataset.words) : {};
    return String(words[key] || key).replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  document.addEventListener('click', e => {
    const button = e.target.closest && e.target.closest('[data-export]'), cy = button && RR.cy();
    if (!cy) return;
    const kind = button.dataset.export, shown = cy.elements(':visible').not('.gone');
    if (!shown.nodes().length) return RR.say(word('nothing'));
    if (kind === 'png' || kind === 'svg') return ask('export-picture-req', {kind: kind, nodes: shown.nodes().length, edges: shown.edges().length});
    const ids = RR.facts().filter(fact => !fact.hidden || RR.inFold(fact.id)).map(fact => fact.id);
    ask(kind === 'graphml' ? 'export-graph-req' : 'export-table-req', {kind: kind, ids: ids});
  });

  function save(blob, name) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    RR.say(word('saved', {name: name}));
  }

  /* As fine as asked, or as a canvas of a browser can hold. */
  function scaled(w, h) { return Math.min(FINE, LONGEST / w, LONGEST / (h + FOOT), Math.sqrt(AREA / (w * (h + FOOT)))); }

  async function png(cy, foot) {
    const box = cy.elements(':visible').boundingBox(), scale = scaled(box.w + 2 * MARGIN, box.h + 2 * MARGIN);
    const drawn = await cy.png({full: true, scale: scale, bg: '#ffffff', output: 'blob-promise'});
    const picture = await createImageBitmap(drawn), margin = Math.round(MARGIN * scale), low = Math.round(FOOT * scale);
    const canvas = document.createElement('canvas');
    canvas.width = Math.max(picture.width + 2 * margin, Math.round(420 * scale));
    canvas.height = picture.height + 2 * margin + low;
    const g = canvas.getContext('2d');
    g.fillStyle = '#fff';
    g.fillRect(0, 0, canvas.width, canvas.height);
    g.drawImage(picture, Math.round((canvas.width - picture.width) / 2), margin);
    picture.close();
    g.fillStyle = '#5b6672';
    g.font = Math.round(11 * scale) + 'px Inter, "Noto Sans", "Noto Sans CJK SC", sans-serif';
    g.fillText(foot, Math.round(14 * scale), canvas.height - Math.round(10 * scale));
    return {blob: await new Promise((done, failed) => canvas.toBlob(blob => (blob ? done(blob) : failed(new Error('no picture'))), 'image/png')), scale: scale};
  }

  async function draw(permit) {
    const cy = RR.cy();
    if (!permit || !cy) return;
    try {
      if (permit.kind === 'svg') {
        const text = RR.svg(cy, word('title', {name: permit.subject}), permit.footer);
        return save(new Blob([text], {type: 'image/svg+xml'}), permit.name);
      }
      const made = await png(cy, permit.footer);
      save(made.blob, permit.name);
      if (made.scale < FINE) RR.say(word('smaller', {scale: made.scale.toFixed(1)}));
    } catch (_) { RR.say(word('failed')); }
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {exports: {
    draw: permit => { draw(permit); return window.dash_clientside.no_update; },
  }});
})();
