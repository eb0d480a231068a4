// What is personal on the live page: whom to follow and compare, units, sound, panels. Kept in this browser,
// never sent: everybody gets the same messages.
import { byId, units } from './board.js';
import { mark, place as placeMarker, ring, share } from './map.js';
import { keep, kept } from './storage.js';
import { local } from './units.js';

const body = document.body;
const big = body.classList.contains('big');
const text = (id) => byId(id)?.textContent ?? '';

// ---- following ----
const followKey = `follow:${body.dataset.race}`;
let followed = kept(followKey, body.dataset.pick ?? null); // in a class, whom one has picked
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
  mark('followed', followed);
  personal();
}
const NO_STOP = { pit: 'It is in the pit lane now.', out: 'It is out of the race.', fin: 'It has taken the flag.' };
const unfollowed = byId('follow-name').textContent;
let shownAt = 0;
function personal() {
  shownAt = performance.now();
  const code = followed ?? body.dataset.own;
  const out = text(`rejoin-${code}`);
  placeMarker(comesOut(code, out));
  around(code, out);
  if (followed && byId('row-' + followed)) {
    byId('follow-name').textContent = `Following ${followed}, P${text(`pos-${followed}`)}.`;
    byId('follow-rejoin').textContent = out ? `A stop now would bring it out ${out}.` : NO_STOP[byId(`state-${followed}`).className] ?? 'No stop to predict.';
  } else {
    byId('follow-name').textContent = unfollowed;
    byId('follow-rejoin').textContent = '';
  }
  duel();
}

// Where on the lap a stop would bring a car out, from its prediction's words: between the cars then ahead and behind.
function comesOut(code, words) {
  const [, back, ahead] = words.match(/([\d.,]+) s behind (\w+)/) ?? [];
  const [, front, behind] = words.match(/([\d.,]+) s ahead of (\w+)/) ?? [];
  const lap = seconds(text(`last-${code}`) || '-') || 90;
  if (ahead && behind) return share(ahead) - ((share(ahead) - share(behind) + 1) % 1) * seconds(back) / ((seconds(back) + seconds(front)) || 1);
  if (ahead) return share(ahead) - seconds(back) / lap;
  return behind ? share(behind) + seconds(front) / lap : null;
}
// In the middle of the ring: the car in question, its neighbours with their gaps, and its place after a stop.
function around(code, out) {
  const row = byId('row-' + code);
  if (!row) return;
  const [ahead, behind] = [row.previousElementSibling?.dataset.c, row.nextElementSibling?.dataset.c];
  const lines = [ahead && `${ahead} ${text(`int-${code}`)}`, `${code} P${text(`pos-${code}`)}`, behind && `${behind} ${text(`int-${behind}`)}`, out && `after a stop ${out.split(',')[0]}`];
  byId('ringwords').replaceChildren(...lines.filter(Boolean).map((words) => Object.assign(document.createElement('span'), { textContent: words })));
}
let ringed = false;
function turnRing() {
  ringed = !ringed;
  ring(ringed);
  document.querySelector('[data-do="ring"]').setAttribute('aria-pressed', ringed);
  personal();
}

// ---- two side by side ----
// the columns of the tower that say how they are called here
const LINES = Array.from(document.querySelectorAll('#tower th[data-compare]'), (head) => [head.dataset.compare, head.className]);
const TIMED = ['last', 'best', 's1', 's2', 's3'];
const seconds = (words) => words.replace(',', '.').replace('+', '').split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
function rival() {
  const chosen = byId('duel-b').value;
  if (chosen) return chosen;
  const row = byId('row-' + byId('duel-a').value);
  return (row?.previousElementSibling || row?.nextElementSibling)?.dataset.c;
}
function duel() {
  const a = byId('duel-a').value;
  const b = rival();
  if (!b || !byId('row-' + a)) return;
  const table = byId('duel').tBodies[0];
  const rows = [[a, between(a, b), b], ...LINES.map(([name, key]) => [value(key, a), name, value(key, b), key])];
  while (table.rows.length < rows.length) {
    const row = table.insertRow();
    row.insertCell(); row.append(Object.assign(document.createElement('th'), { scope: 'row' })); row.insertCell();
  }
  rows.forEach((cells, index) => {
    const row = table.rows[index];
    cells.slice(0, 3).forEach((words, column) => { if (row.cells[column].textContent !== words) row.cells[column].textContent = words; });
    const timed = TIMED.includes(cells[3]);
    const [left, right] = [seconds(cells[0]), seconds(cells[2])];
    row.cells[0].classList.toggle('better', timed && left < right);
    row.cells[2].classList.toggle('better', timed && right < left);
  });
}
const value = (key, code) => key === 'tyre' ? (byId(`tyre-${code}`)?.innerHTML ?? '').replace('<i>', ' ').replace('</i>', '') : text(`${key}-${code}`) || '–';
function between(a, b) {
  const gaps = [a, b].map((code) => text(`gap-${code}`).replace(/Leader|Winner/, '0'));
  if (gaps.some((gap) => !gap || gap === '–')) return 'no gap'; // on the grid, or out of the race
  const given = Math.abs(seconds(gaps[0]) - seconds(gaps[1]));
  const apart = Number.isFinite(given) ? given : onTheRoad(a, b);
  return Number.isFinite(apart) ? local(`${apart.toFixed(3)} s apart`) : 'a lap or more apart';
}

// the intervals from one to the other: two cars that are a lap down may be close, and their gaps do not say so
function onTheRoad(a, b) {
  const order = Array.from(byId('rows').children, (row) => row.dataset.c);
  const [from, to] = [order.indexOf(a), order.indexOf(b)].sort((x, y) => x - y);
  return order.slice(from + 1, to + 1).reduce((sum, code) => sum + seconds(text(`int-${code}`) || '-'), 0);
}

// ---- gap or interval, units, sound ----
function gapOrInterval(which) {
  body.classList.toggle('by-int', which === 'int');
  body.classList.toggle('by-rel', which === 'rel');
  relative();
  for (const button of document.querySelectorAll('[data-gap]')) button.setAttribute('aria-pressed', button.dataset.gap === which);
  keep('gap', which);
}
// Each gap as seen from the followed car, or else from the own one: ahead is less than nothing.
function relative() {
  if (!body.classList.contains('by-rel')) return;
  const gapOf = (code) => seconds(text(`gap-${code}`).replace(/Leader|Winner/, '0') || '-');
  const from = gapOf(followed ?? body.dataset.own);
  for (const row of byId('rows').children) {
    const apart = gapOf(row.dataset.c) - from;
    const words = Number.isFinite(apart) ? `${apart > 0 ? '+' : ''}${local(apart.toFixed(3))}` : text(`gap-${row.dataset.c}`);
    row.querySelector('.gap').dataset.rel = apart === 0 ? '—' : words;
  }
}

// Everybody's race in the commentator's words, or the own one line by line.
function words(whose) {
  body.classList.toggle('own-words', whose === 'own');
  for (const button of document.querySelectorAll('[data-whose]')) button.setAttribute('aria-pressed', button.dataset.whose === whose);
  keep('words', whose);
}

// The tab says where the car is, for who looks at another one.
const place = document.title;
function title() {
  const code = followed ?? body.dataset.own;
  const lap = text('lap');
  document.title = Number(lap) ? `P${text(`pos-${code}`)} ${code}, lap ${lap} · ${place}` : place;
  const alarms = parseInt(text('bell').replace(/\D/g, ''), 10);
  const tab = document.querySelector('[data-tab-to="engine"]');
  if (alarms) tab.dataset.count = alarms; else delete tab.dataset.count;
}

function setUnits(mph) { body.classList.toggle('mph', mph); keep('mph', mph); units(mph); }
// On a phone's first screen the tower has the rows around the car in question.
const AROUND = 3;
function neighbours() {
  const rows = [...byId('rows').children];
  const at = rows.findIndex((row) => row.dataset.c === (followed ?? body.dataset.own));
  const first = Math.max(0, Math.min(at - AROUND, rows.length - 1 - 2 * AROUND));
  rows.forEach((row, index) => row.classList.toggle('close', at < 0 || (index >= first && index <= first + 2 * AROUND)));
}
// A dot on the tab of the words, while there are some that nobody has looked at.
let read = '';
function unread() {
  const newest = byId('commentary').firstElementChild?.textContent ?? '';
  if (['talk', 'race', undefined].includes(body.dataset.at)) read = newest;
  document.querySelector('[data-tab-to="talk"]').toggleAttribute('data-unread', newest !== read);
}

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
  if (was[0] === 'race' && is[0] === 'flag') won();
  if (is[1] !== was[1]) beep({ 'f-green': 700, 'f-chequered': 980 }[is[1]] ?? 300, 0.5);
});

// The winner's moment, over the map: it takes no focus and goes by itself.
function won() {
  const name = byId('rows').querySelector('.code').title.split(',')[0];
  byId('moment').textContent = `${name} wins`;
  byId('moment').hidden = false;
  setTimeout(() => { byId('moment').hidden = true; }, 4000);
}

// ---- panels: one list, of which the first `side` stand beside the tower and the others below ----
const columns = [...document.querySelectorAll('[data-column]')];
const defaultOrder = [...document.querySelectorAll('[data-panel]')].map((panel) => panel.id);
const defaults = { order: defaultOrder, hidden: [], side: columns[0].querySelectorAll('[data-panel]').length };
function arranged() {
  const now = { ...defaults, ...kept('panels', {}) };
  const order = now.order.filter((id) => defaultOrder.includes(id)); // panels come and go with versions and features
  return { ...now, order: [...order, ...defaultOrder.filter((id) => !order.includes(id))] };
}
function arrange(next) {
  if (next) keep('panels', next);
  const { order, hidden, side } = arranged();
  order.forEach((id, at) => {
    columns[Number(at >= side)].append(byId(id));
    byId(id).hidden = hidden.includes(id);
  });
}
function listPanels() {
  const { order, hidden, side } = arranged();
  const items = order.map((id, at) => {
    const item = document.createElement('li');
    const label = document.createElement('label');
    const box = Object.assign(document.createElement('input'), { type: 'checkbox', checked: !hidden.includes(id) });
    box.dataset.hide = id;
    const name = byId(id).dataset.panel;
    const place = Object.assign(document.createElement('small'), { textContent: at < side ? 'beside the tower' : 'below' });
    label.append(box, ` ${name} `, place);
    item.append(label, mover(id, -1, '↑', `Move ${name} up`, at === 0 && side), mover(id, 1, '↓', `Move ${name} down`, at === order.length - 1 && side < order.length));
    return item;
  });
  byId('panels').querySelector('ul').replaceChildren(...items);
}
function mover(id, by, sign, words, atEnd) {
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: sign, ariaLabel: words, disabled: Boolean(atEnd) });
  button.dataset.move = id;
  button.dataset.by = by;
  return button;
}
// At the edge of a column a panel goes over into the other one: the order stays, the border moves.
function movePanel(id, by) {
  const { order, hidden, side } = arranged();
  const at = order.indexOf(id);
  const crosses = at - side === (by < 0 ? 0 : -1);
  if (!crosses) [order[at], order[at + by]] = [order[at + by], order[at]];
  arrange({ order, hidden, side: crosses ? side - by : side });
  listPanels();
  const [same, other] = [by, -by].map((way) => byId('panels').querySelector(`[data-move="${id}"][data-by="${way}"]`));
  (same.disabled ? other : same).focus();
}

// ---- clicks and keys ----
const open = (id) => byId(id).open || byId(id).showModal();
const actions = {
  units: () => setUnits(!body.classList.contains('mph')),
  sound,
  panels: () => { listPanels(); open('panels'); },
  'panels-reset': () => { arrange(defaults); listPanels(); },
  legend: () => open('legend'),
  ring: turnRing,
  whole: () => goTo('tower'),
  big: () => {
    const to = new URL(location); // what else it says stays: a replay's tick
    if (big) to.searchParams.delete('screen'); else to.searchParams.set('screen', 'big');
    location.assign(to);
  },
  close: (button) => {
    const dialog = button.closest('dialog');
    dialog.hidden = !dialog.open; // the big screen shows the result by its styles alone
    dialog.close();
  },
};
document.addEventListener('click', (event) => {
  const target = event.target;
  const action = target.closest('[data-do]');
  if (action && actions[action.dataset.do]) actions[action.dataset.do](action);
  const code = target.closest('[data-follow]')?.dataset.follow ?? target.closest('.dot')?.dataset.c;
  if (code) follow(code === followed ? null : code);
  const gap = target.closest('[data-gap]');
  if (gap) gapOrInterval(gap.dataset.gap);
  const whose = target.closest('[data-whose]');
  if (whose) words(whose.dataset.whose);
  const tab = target.closest('[data-tab-to]');
  if (tab) goTo(tab.dataset.tabTo);
  const jump = target.closest('.pipe a'); // on a phone the panel stands behind another tab
  if (jump) goTo(byId(jump.hash.slice(1)).closest('[data-tab]').dataset.tab);
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
    const next = arranged();
    arrange({ ...next, hidden: event.target.checked ? next.hidden.filter((other) => other !== id) : [...next.hidden, id] });
  }
  if (event.target.id.startsWith('duel-')) duel();
});
function goTo(tab) {
  body.dataset.at = tab;
  for (const button of document.querySelectorAll('[data-tab-to]')) button.setAttribute('aria-pressed', button.dataset.tabTo === tab);
  scrollTo(0, 0);
  unread();
}
function followNext() {
  const codes = [...byId('rows').children].map((row) => row.dataset.c);
  follow(codes[(codes.indexOf(followed) + 1) % codes.length]);
}
const keys = {
  g: () => gapOrInterval({ gap: 'int', int: 'rel', rel: 'gap' }[kept('gap', 'gap')]),
  f: followNext, d: () => document.querySelector('[data-do="theme"]').click(), u: actions.units, s: sound, r: turnRing, p: big ? null : actions.panels, '?': actions.legend,
  b: actions.big, escape: () => byId('finish').close(), y: () => words(kept('words', 'all') === 'own' ? 'all' : 'own'),
};
document.addEventListener('keydown', (event) => {
  const typing = event.key !== 'Escape' && event.target.matches('input:not([type="checkbox"], [type="range"]), select');
  if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
  // a dialog that has just been closed may still hold the focus: only an open one keeps keys for itself, and the
  // card with the result, which opens by itself, keeps none
  const dialog = document.querySelector('dialog:modal');
  const key = event.key.toLowerCase();
  if (dialog && key === { legend: '?', panels: 'p' }[dialog.id]) dialog.close();
  else if (!dialog || 'dus'.includes(key)) keys[key]?.();
});

// ---- begin ----
document.addEventListener('board:rows', show);
document.addEventListener('board:changed', () => {
  relative();
  neighbours();
  if (performance.now() - shownAt > 1000) { personal(); title(); unread(); }
});
const top = () => document.documentElement.style.setProperty('--top', `${document.querySelector('.head').offsetHeight}px`);
new ResizeObserver(top).observe(document.querySelector('.head'));
if (kept('panels', null) && !big) arrange(); // the big screen is the same for everybody
gapOrInterval(kept('gap', 'gap'));
if (!big) words(kept('words', 'all'));
setUnits(kept('mph', false));
show();
neighbours();
body.classList.add('scripted');
if (navigator.wakeLock) { // a phone on the table stays awake while a race is on
  const stay = () => document.hidden || byId('st').matches('.over') || navigator.wakeLock.request('screen').catch(() => {});
  document.addEventListener('visibilitychange', stay);
  stay();
}
