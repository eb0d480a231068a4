// What is personal on the live page: whom to follow and compare, units, sound, panels. Kept in this browser,
// never sent: everybody gets the same messages.
(() => {
  const { byId, units } = window.Board;
  const body = document.body;
  const keep = (name, value) => { try { localStorage.setItem(name, JSON.stringify(value)); } catch { /* private windows may refuse */ } };
  const kept = (name, otherwise) => { try { return JSON.parse(localStorage.getItem(name)) ?? otherwise; } catch { return otherwise; } };
  const text = (id) => byId(id)?.textContent ?? '';

  // ---- following ----
  const followKey = `follow:${body.dataset.race}`;
  let followed = kept(followKey, null);
  function follow(code) {
    followed = code;
    keep(followKey, code);
    show();
  }
  function show() {
    for (const row of byId('rows').children) {
      const on = row.dataset.c === followed;
      row.classList.toggle('followed', on);
      row.querySelector('.code').setAttribute('aria-pressed', on);
    }
    window.TrackMap.mark('followed', followed);
    personal();
  }
  let told = 0;
  function personal() {
    told = performance.now();
    if (followed && byId('R' + followed)) {
      const out = text('r' + followed);
      byId('follow-name').textContent = `Following ${followed}, P${text('p' + followed)}.`;
      byId('follow-rejoin').textContent = out ? `A stop now would bring it out ${out}.` : 'No stop to predict.';
    } else {
      byId('follow-name').textContent = 'Follow a car: press its code in the tower or its dot on the map.';
      byId('follow-rejoin').textContent = '';
    }
    duel();
  }

  // ---- two side by side ----
  const LINES = [['Position', 'p'], ['Gap to leader', 'g'], ['Last lap', 'l'], ['Best lap', 'b'], ['Sector 1', 'x'], ['Sector 2', 'y'], ['Sector 3', 'z'], ['Tyre', 't'], ['Stops', 'n'], ['Average', 'a']];
  const seconds = (words) => words.replace(',', '.').replace('+', '').split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  function rival() {
    const chosen = byId('duel-b').value;
    if (chosen) return chosen;
    const row = byId('R' + byId('duel-a').value);
    return (row?.previousElementSibling || row?.nextElementSibling)?.dataset.c;
  }
  function duel() {
    const a = byId('duel-a').value;
    const b = rival();
    if (!b || !byId('R' + a) || byId('panel-wall').offsetParent === null) return;
    const table = byId('duel').tBodies[0];
    const rows = [[a, between(a, b), b], ...LINES.map(([name, key]) => [value(key, a), name, value(key, b), key])];
    while (table.rows.length < rows.length) {
      const row = table.insertRow();
      row.insertCell(); row.append(Object.assign(document.createElement('th'), { scope: 'row' })); row.insertCell();
    }
    rows.forEach((cells, index) => {
      const row = table.rows[index];
      cells.slice(0, 3).forEach((words, column) => { if (row.cells[column].textContent !== words) row.cells[column].textContent = words; });
      const timed = 'lbxyz'.includes(cells[3] ?? '-');
      const [left, right] = [seconds(cells[0]), seconds(cells[2])];
      row.cells[0].classList.toggle('better', timed && left < right);
      row.cells[2].classList.toggle('better', timed && right < left);
    });
  }
  const value = (key, code) => key === 't' ? (byId('t' + code)?.innerHTML ?? '').replace('<i>', ' ').replace('</i>', '') : text(key + code) || '–';
  function between(a, b) {
    const gap = (code) => text('p' + code) === '1' ? 0 : seconds(text('g' + code));
    const apart = Math.abs(gap(a) - gap(b));
    return Number.isFinite(apart) ? `${apart.toFixed(3)} s apart` : 'a lap or more apart';
  }

  // ---- gap or interval, units, sound ----
  function gapOrInterval(which) {
    body.classList.toggle('by-int', which === 'int');
    for (const button of document.querySelectorAll('[data-gap]')) button.setAttribute('aria-pressed', button.dataset.gap === which);
    keep('gap', which);
  }
  function setUnits(mph) { body.classList.toggle('mph', mph); keep('mph', mph); units(); }
  let audio = null;
  function beep(pitch, length) {
    if (!audio) return;
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.12, audio.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + length);
    tone.connect(volume).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + length);
  }
  function sound() {
    audio = audio ? (audio.close(), null) : new AudioContext();
    document.querySelector('[data-do="sound"]').setAttribute('aria-pressed', Boolean(audio));
    beep(660, 0.15);
  }
  document.addEventListener('board:state', ({ detail: { was, is } }) => {
    if (is[0] === 'grid' && is.at(-1) !== was.at(-1)) beep(440, 0.25);
    if (was[0] === 'grid' && is[0] === 'race') beep(880, 0.7);
    if (is[1] !== was[1]) beep({ 'f-green': 700, 'f-chequered': 980 }[is[1]] ?? 300, 0.5);
  });

  // ---- panels ----
  const panels = () => [...document.querySelectorAll('[data-panel]')];
  const standard = panels().map((panel) => panel.id);
  function arrange() {
    const { order, hidden } = kept('panels', { order: standard, hidden: [] });
    for (const panel of panels()) {
      panel.style.order = order.indexOf(panel.id);
      panel.hidden = hidden.includes(panel.id);
    }
  }
  function listPanels() {
    const { order, hidden } = kept('panels', { order: standard, hidden: [] });
    const items = [...standard].sort((a, b) => order.indexOf(a) - order.indexOf(b)).map((id) => {
      const item = document.createElement('li');
      const label = document.createElement('label');
      const box = Object.assign(document.createElement('input'), { type: 'checkbox', checked: !hidden.includes(id) });
      box.dataset.hide = id;
      const name = byId(id).dataset.panel;
      label.append(box, ' ', name);
      item.append(label, mover(id, -1, '↑', `Move ${name} up`), mover(id, 1, '↓', `Move ${name} down`));
      return item;
    });
    byId('panels').querySelector('ul').replaceChildren(...items);
  }
  function mover(id, by, sign, words) {
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: sign, ariaLabel: words });
    button.dataset.move = id;
    button.dataset.by = by;
    return button;
  }
  function movePanel(id, by) {
    const { order, hidden } = kept('panels', { order: standard, hidden: [] });
    const column = byId(id).parentElement;
    const mates = order.filter((other) => byId(other)?.parentElement === column);
    const other = mates[mates.indexOf(id) + by];
    if (!other) return;
    const [a, b] = [order.indexOf(id), order.indexOf(other)];
    [order[a], order[b]] = [order[b], order[a]];
    keep('panels', { order, hidden });
    arrange();
    listPanels();
    byId('panels').querySelector(`[data-move="${id}"][data-by="${by}"]`).focus();
  }

  // ---- clicks and keys ----
  const open = (id) => byId(id).open || byId(id).showModal();
  const deeds = {
    units: () => setUnits(!body.classList.contains('mph')),
    sound,
    panels: () => { listPanels(); open('panels'); },
    'panels-reset': () => { keep('panels', null); arrange(); listPanels(); },
    legend: () => open('legend'),
    big: () => {
      const to = new URL(location); // what else it says stays: a replay's tick
      if (body.classList.contains('big')) to.searchParams.delete('screen'); else to.searchParams.set('screen', 'big');
      location.assign(to);
    },
    close: (button) => button.closest('dialog').close(),
  };
  document.addEventListener('click', (event) => {
    const target = event.target;
    const deed = target.closest('[data-do]');
    if (deed && deeds[deed.dataset.do]) deeds[deed.dataset.do](deed);
    const code = target.closest('[data-follow]')?.dataset.follow ?? target.closest('.dot')?.dataset.c;
    if (code) follow(code === followed ? null : code);
    const gap = target.closest('[data-gap]');
    if (gap) gapOrInterval(gap.dataset.gap);
    const tab = target.closest('[data-tab-to]');
    if (tab) goTo(tab.dataset.tabTo);
    const move = target.closest('[data-move]');
    if (move) movePanel(move.dataset.move, Number(move.dataset.by));
    if (target.tagName === 'DIALOG') target.close();
  });
  document.addEventListener('submit', (event) => {
    const words = event.submitter?.dataset.confirm;
    if (words && !window.confirm(words)) event.preventDefault();
  });
  document.addEventListener('change', (event) => {
    const id = event.target.dataset.hide;
    if (id) {
      const { order, hidden } = kept('panels', { order: standard, hidden: [] });
      keep('panels', { order, hidden: event.target.checked ? hidden.filter((other) => other !== id) : [...hidden, id] });
      arrange();
    }
    if (event.target.id.startsWith('duel-')) duel();
  });
  function goTo(tab) {
    body.dataset.at = tab;
    for (const button of document.querySelectorAll('[data-tab-to]')) button.setAttribute('aria-pressed', button.dataset.tabTo === tab);
    scrollTo(0, 0);
  }
  function followNext() {
    const codes = [...byId('rows').children].map((row) => row.dataset.c);
    follow(codes[(codes.indexOf(followed) + 1) % codes.length]);
  }
  const keys = {
    g: () => gapOrInterval(body.classList.contains('by-int') ? 'gap' : 'int'),
    f: followNext, d: () => document.querySelector('[data-do="theme"]').click(), u: deeds.units, s: sound, p: deeds.panels, '?': deeds.legend,
    b: deeds.big,
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input:not([type="checkbox"], [type="range"]), select')) return;
    // a dialog that has just been closed may still hold the focus: only an open one keeps keys for itself
    const dialog = document.querySelector('dialog[open]');
    const key = event.key.toLowerCase();
    if (dialog && key === { legend: '?', panels: 'p' }[dialog.id]) dialog.close();
    else if (!dialog || 'dus'.includes(key)) keys[key]?.();
  });

  // ---- begin ----
  document.addEventListener('board:rows', show);
  document.addEventListener('board:changed', () => { if (performance.now() - told > 1000) personal(); });
  const top = () => document.documentElement.style.setProperty('--top', `${document.querySelector('.head').offsetHeight}px`);
  new ResizeObserver(top).observe(document.querySelector('.head'));
  if (kept('panels', null)) arrange();
  gapOrInterval(kept('gap', 'gap'));
  setUnits(kept('mph', false));
  show();
  if (body.classList.contains('big') && navigator.wakeLock) {
    const stay = () => document.hidden || navigator.wakeLock.request('screen').catch(() => {});
    document.addEventListener('visibilitychange', stay);
    stay();
  }
})();
