// What every page of a race shows: puts the cells of each message in their places, glides rows, lights what changed.
// A message holds elements with an id, which replace those on the page, or an afterbegin:#list. htmx's own swap fires
// events for every element that a message has brought so far, which grows with the square of the cells in a tick; so
// this page takes each message itself, by the same out-of-band rules.
import { mark, move } from './map.js';
import { localise, showSpeed } from './units.js';

export const byId = (id) => document.getElementById(id);
const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');
const NOTES = 64; // lines that a list keeps, as many as the server keeps
const CROWD = 4; // rows that may glide at once
const GLIDE_MS = 190; // less than from one tick to the next
const LEAP = 10; // ticks from one message to the next, from which on the race has gone on without this page
export let heard = 0; // when the last message of any kind came
export let moved = 0; // when the last tick came
let expectSnapshot = false; // of a new connection: nothing of the next message glows or glides

export function expect() {
  expectSnapshot = true;
  heard = moved = performance.now();
}

// ---- messages ----
export function receive(text) {
  const holder = document.createElement('template');
  holder.innerHTML = text;
  const quiet = expectSnapshot || document.hidden || leaps(holder.content.querySelector('#dots'));
  for (const element of [...holder.content.children]) place(element, quiet);
  heard = performance.now();
  expectSnapshot = false;
  document.dispatchEvent(new CustomEvent('board:changed'));
}

// By the race's ticks, not by this page's clock: a message that only comes late goes on where the last one stood.
function leaps(dots) {
  const ticks = dots ? Number(dots.dataset.tick) - Number(byId('dots').dataset.tick ?? -LEAP) : 0;
  return ticks < 0 || ticks >= LEAP;
}

// What else an element does than to take the place of the old one, by its id. True: it has been dealt with.
export const handlers = {
  dots(element, old, quiet) { moved = performance.now(); move(element.textContent, quiet); },
  order(element, old, quiet) { reorder(element, old, quiet); return true; },
  st(element, old) { if (old.className !== element.className) announce(old.className.split(' '), element.className.split(' ')); },
};

function place(element, quiet) {
  const list = element.getAttribute('hx-swap-oob');
  if (list) { prepend(byId(list.split('#')[1]), element); return; }
  const old = byId(element.id);
  if (!old || handlers[element.id]?.(element, old, quiet)) return;
  if (element.tagName === 'PROGRESS') { old.value = element.value; return; }
  numbers(element);
  const shown = retext(old, element) ? old : element;
  const [name, code] = element.id.split('-');
  if (!quiet && code && GLOWS.has(name) && !reducedMotion.matches) glow(shown);
  if (shown === element) old.replaceWith(element);
  if (name === 'state') rowState(shown);
  if (name === 'alarm') ill(code, shown);
  if (element.id === 'tower') { rowStates(); document.dispatchEvent(new CustomEvent('board:rows')); }
}

// A figure for a figure: new text in the old element, which spares the browser the styles and boxes of a new one.
const bare = (element) => element.childNodes.length === 1 && element.firstChild.nodeType === Node.TEXT_NODE;
function retext(old, element) {
  const alike = old.attributes.length === element.attributes.length && old.attributes.length <= 2;
  if (!alike || old.className !== element.className || !bare(old) || !bare(element)) return false;
  old.firstChild.data = element.firstChild.data;
  if (element.dataset.kmh) old.dataset.kmh = element.dataset.kmh;
  return true;
}

// Gaps change all the time and don't glow; what changes once a lap does.
const GLOWS = new Set(Array.from(document.querySelectorAll('#tower th[data-glows]'), (head) => head.className));
let lit = [];
function glow(element) {
  if (!lit.length) {
    const batch = lit;
    setTimeout(() => { lit = []; for (const cell of batch) cell.classList.remove('new'); }, 600);
  }
  lit.push(element);
  element.classList.add('new');
}

// A class on the row, not :has() in the styles: that one is looked at again with every cell of the row.
function rowState(badge) {
  const row = badge.closest('tr');
  for (const kind of ['out', 'pit', 'ot', 'bat']) row.classList.toggle(`is-${kind}`, badge.classList.contains(kind));
}
// An alarm on an engine: a ring on the map, besides its sign in the row.
function ill(code, sign) {
  document.querySelector(`.dot[data-c="${code}"]`)?.classList.toggle('ill', Boolean(sign.textContent));
}
function rowStates() {
  for (const row of byId('rows').children) {
    rowState(byId(`state-${row.dataset.c}`));
    const sign = byId(`alarm-${row.dataset.c}`);
    if (sign) ill(row.dataset.c, sign);
  }
}

function prepend(list, element) {
  if (!list) return;
  numbers(element);
  const newest = element.firstElementChild;
  list.prepend(...element.children);
  if (list.id === 'commentary' && newest) document.dispatchEvent(new CustomEvent('board:said', { detail: newest }));
  while (list.children.length > NOTES) list.lastElementChild.remove();
}

// Rows glide to their new place. They are all as high: how far they go follows from the order, and nothing is
// measured, which would make the browser lay the page out in the middle of a tick.
function reorder(element, old, quiet) {
  old.replaceWith(element);
  const rows = byId('rows');
  const wanted = element.textContent.split(' ').map((code) => byId(`row-${code}`)).filter(Boolean);
  if (wanted.every((row, index) => rows.children[index] === row)) return;
  const before = new Map(Array.from(rows.children, (row, index) => [row, index]));
  const focus = document.activeElement;
  wanted.forEach((row, index) => { if (rows.children[index] !== row) rows.insertBefore(row, rows.children[index]); });
  if (focus && document.activeElement !== focus) focus.focus({ preventScroll: true });
  mark('lead', wanted[0]?.dataset.c);
  const moving = wanted.filter((row, index) => before.get(row) !== index).length;
  // a crowd that passes through itself cannot be read: then rows step to their places, as they do when time runs fast
  const steps = quiet || reducedMotion.matches || moving > CROWD || document.body.classList.contains('hurried');
  wanted.forEach((row, index) => {
    const by = steps ? 0 : before.get(row) - index;
    row.glide?.cancel();
    row.classList.toggle('rising', by > 0);
    if (!by) return;
    const way = row.glide = row.animate([{ transform: `translateY(${by * 100}%)` }, { transform: 'none' }], { duration: GLIDE_MS, easing: 'ease-out' });
    way.onfinish = () => row.classList.remove('rising');
  });
}

// ---- numbers as this reader writes them ----
const NO_FIGURES = ['st', 'order', 'dots', 'bar', 'status', 'feed', 'engine']; // or an address among the words
const DIGITS = { speed: 0 };
function numbers(element) {
  const mph = document.body.classList.contains('mph');
  if (mph) for (const cell of speedCells(element)) showSpeed(cell, true, DIGITS[cell.id.split('-')[0]]);
  if (!NO_FIGURES.includes(element.id)) localise(element);
}
const speedCells = (element) => (element.id.split('-')[0] in DIGITS ? [element] : element.querySelectorAll('#speeds b'));

export function units(mph) {
  for (const cell of document.querySelectorAll('#speeds b')) showSpeed(cell, mph, DIGITS[cell.id.split('-')[0]]);
  for (const name of document.querySelectorAll('#unit, .unitname')) name.textContent = mph ? 'mph' : 'km/h';
}

// ---- what the state element says, for sound and for the result ----
function announce(was, is) {
  document.dispatchEvent(new CustomEvent('board:state', { detail: { was, is } }));
  const live = was[0] !== 'over' && was[0] !== 'waiting';
  if (is[0] === 'over' && live && !document.body.classList.contains('big')) setTimeout(() => openResult(), 1200);
}

// The result opens as a card, without taking the focus from what somebody uses. A replay opens it by playing only.
export let openResult = () => { byId('finish').open = true; };
export function openResultIf(may) { const open = openResult; openResult = () => may() && open(); }

// ---- what the page came with ----
rowStates();
const FIGURES = '#tower, #speeds, .ownline, #fastest, #charts, #earlier, #commentary, #story, #control, #result, #legend dl, [id^="footer-"], [id^="lag-"]';
for (const element of document.querySelectorAll(FIGURES)) numbers(element);
mark('lead', byId('rows').firstElementChild?.dataset.c);
if (byId('dots').textContent) move(byId('dots').textContent, true);
