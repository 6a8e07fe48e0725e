/* A case: names after an @, Ctrl+Enter, files that are dropped or chosen, and where things stand on the canvas. */
(function () {
  'use strict';
  const AT = /(^|[^\w@.-])@([a-z0-9._-]{0,32})$/i;
  const el = id => document.getElementById(id);
  let chosen = 0, offered = [];

  /* Notes -------------------------------------------------------------------------------------------------- */

  function people() {
    const list = el('case-note-names');
    try { return list ? JSON.parse(list.dataset.people) : []; } catch (_) { return []; }
  }

  function wanted(box) {
    const found = AT.exec(box.value.slice(0, box.selectionStart));
    return found ? found[2].toLowerCase() : null;
  }

  function offer(box) {
    const list = el('case-note-names'), typed = wanted(box);
    if (!list) return;
    offered = typed === null ? [] : people().filter(one => one[0].startsWith(typed) || one[1].toLowerCase().includes(typed)).slice(0, 8);
    chosen = Math.min(chosen, Math.max(0, offered.length - 1));
    list.hidden = offered.length === 0;
    list.replaceChildren(...offered.map((one, at) => {
      const item = document.createElement('li');
      item.id = 'case-name-' + at;
      item.setAttribute('role', 'option');
      item.setAttribute('aria-selected', String(at === chosen));
      item.textContent = one[1] + ' @' + one[0];
      item.addEventListener('mousedown', event => { event.preventDefault(); take(box, at); });
      return item;
    }));
    box.setAttribute('aria-autocomplete', 'list');
    box.setAttribute('aria-controls', 'case-note-names');
    if (offered.length) box.setAttribute('aria-activedescendant', 'case-name-' + chosen);
    else box.removeAttribute('aria-activedescendant');
  }

  function close(box) {
    const list = el('case-note-names');
    offered = [];
    chosen = 0;
    if (list) { list.hidden = true; list.replaceChildren(); }
    box.removeAttribute('aria-activedescendant');
  }

  function take(box, at) {
    const end = box.selectionStart, start = end - wanted(box).length, name = offered[at][0] + ' ';
    const text = box.value.slice(0, start) + name + box.value.slice(end);
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(box, text);
    box.dispatchEvent(new Event('input', {bubbles: true}));
    box.setSelectionRange(start + name.length, start + name.length);
    close(box);
  }

  document.addEventListener('input', event => { if (event.target.id === 'case-note-text') { chosen = 0; offer(event.target); } });
  document.addEventListener('focusout', event => { if (event.target.id === 'case-note-text') close(event.target); });
  document.addEventListener('keydown', function (event) {
    const box = event.target;
    if (box.id !== 'case-note-text' || event.isComposing) return;
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      const save = el('case-note-save');
      if (!save || save.disabled) return;
      window.dash_clientside.set_props(box.id, {value: box.value}); // the last letters may not have arrived
      setTimeout(() => save.click(), 0);
      return;
    }
    if (!offered.length) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      chosen = (chosen + (event.key === 'ArrowDown' ? 1 : offered.length - 1)) % offered.length;
      offer(box);
    } else if (event.key === 'Enter' || event.key === 'Tab') take(box, chosen);
    else if (event.key === 'Escape') close(box);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);

  /* The menu of work closes when something was chosen, beside it, and with Escape. */
  document.addEventListener('click', function (event) {
    document.querySelectorAll('.cs-menu[open]').forEach(menu => {
      if (!menu.contains(event.target) || event.target.closest('button')) menu.open = false;
    });
  });
  document.addEventListener('keydown', function (event) {
    const menu = event.key === 'Escape' && document.querySelector('.cs-menu[open]');
    if (menu) { menu.open = false; menu.querySelector('summary').focus(); }
  });

  /* Files -------------------------------------------------------------------------------------------------- */

  function say(message, colour, lasts) {
    window.dash_clientside.set_props('toast', {sendNotifications: [
      {action: 'show', message: message, color: colour, autoClose: lasts, withBorder: true}]});
  }

  async function send(drop, files) {
    const most = Number(drop.dataset.most), to = '/attachment/of/' + drop.dataset.case;
    let sent = 0;
    drop.disabled = true;
    for (const file of files) {
      const word = key => drop.dataset[key].replace('{}', file.name);
      if (file.size > most) { say(word('large'), 'orange', 7000); continue; }
      say(word('sending'), 'blue', 1500);
      try {
        const answer = await fetch(to, {method: 'POST', body: file, headers: {
          'Content-Type': 'application/octet-stream', 'X-File-Name': encodeURIComponent(file.name)}});
        const told = await answer.json();
        say(told.said || told.error || word('failed'), answer.ok ? 'teal' : 'orange', answer.ok ? 4000 : 7000);
        if (answer.ok) sent += 1;
      } catch (_) { say(word('failed'), 'red', 7000); }
    }
    drop.disabled = false;
    if (sent) window.dash_clientside.set_props('case-changed', {data: Date.now()});
  }

  document.addEventListener('click', function (event) {
    const drop = event.target.closest && event.target.closest('#case-drop');
    if (!drop || drop.disabled) return;
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = true;
    input.accept = drop.dataset.accept;
    input.id = 'case-file-input';
    input.hidden = true;
    input.addEventListener('change', () => { send(drop, Array.from(input.files)); input.remove(); });
    document.querySelectorAll('#case-file-input').forEach(old => old.remove());
    document.body.append(input);
    input.click();
  });

  function over(event) {
    const drop = el('case-drop');
    if (!drop || !event.dataTransfer || !Array.from(event.dataTransfer.types).includes('Files')) return null;
    event.preventDefault();  // beside the box, too: or the browser leaves the page for the file
    return drop;
  }
  document.addEventListener('dragover', event => { const drop = over(event); if (drop) drop.classList.add('cs-over'); });
  document.addEventListener('dragleave', event => { const drop = el('case-drop'); if (drop && !event.relatedTarget) drop.classList.remove('cs-over'); });
  document.addEventListener('drop', event => {
    const drop = over(event);
    if (!drop) return;
    drop.classList.remove('cs-over');
    if (!drop.disabled) send(drop, Array.from(event.dataTransfer.files));
  });

  /* Evidence ----------------------------------------------------------------------------------------------- */

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    casefile: {
      /* Where things stand, if what is open on the canvas is what the case is about. */
      seen: function (clicks, open) {
        if (!clicks) return window.dash_clientside.no_update;
        const RR = window.RR, told = {ts: Date.now()};
        const about = RR && RR.cy && RR.cy() && RR.subject ? RR.subject() : null;
        if (about && open && about.kind === open.kind && about.name === open.subject) {
          told.positions = RR.positions();
          told.as_of = (RR.state && RR.state.asOf) || null;
        }
        return told;
      },
    },
  });
})();
