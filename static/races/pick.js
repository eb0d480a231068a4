// The selection page: says on the button what it will do, finds drivers as one types, fills in presets.
import './document.js';

const form = document.getElementById('pick');
const { laps, pace } = form.elements;
const find = document.getElementById('find');
const GRID_S = 7; // five lights, the hold, and the first tick
const circuit = () => form.querySelector('[name="circuit"]:checked');
const driver = () => form.querySelector('[name="driver"]:checked');

function duration(seconds) {
  if (seconds < 150) return `about ${Math.round(seconds / 5) * 5} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `about ${minutes} min` : `about ${(minutes / 60).toFixed(1)} h`;
}

// ---- presets: kept when the circuit changes, left when somebody types laps or a pace ----
const presets = { sprint: ['', '12'], gp: ['whole', '12'], real: ['whole', '1'] };
const buttons = [...form.querySelectorAll('[data-preset]')];
const lapsOf = (name) => presets[name][0] && circuit()?.dataset.distance;
const asPreset = () => {
  const typed = laps.value === circuit()?.dataset.laps && pace.value === '12' ? '' : laps.value;
  return Object.keys(presets).find((name) => !laps.validity.badInput && typed === lapsOf(name) && pace.value === presets[name][1]);
};
let preset;
function press(name) {
  preset = name;
  for (const button of buttons) button.setAttribute('aria-pressed', button.dataset.preset === name);
}
function apply(name) {
  laps.value = lapsOf(name) ?? '';
  pace.value = presets[name][1];
  press(name);
}

function wrong() {
  if (!laps.validity.valid) return `Laps go from 1 to ${laps.max} at ${circuit().dataset.name}`;
  return pace.validity.valid ? '' : `Pace goes from ${pace.min} to ${pace.max}`;
}
function promise() {
  const at = circuit();
  const distance = Number(laps.value || at.dataset.laps);
  // a race lap is some 4 % slower than the fastest one: fuel, traffic, stops
  const seconds = distance * Number(at.dataset.lap) * 1.04 / Number(pace.value || 12) + GRID_S;
  return `Start: ${driver().dataset.name} at ${at.dataset.name}, ${distance} lap${distance > 1 ? 's' : ''}, ${duration(seconds)}`;
}
// The set-up as an address, without what is only this visitor's: everybody who opens it has the form filled in.
const share = document.getElementById('share');
const PERSONAL = ['csrfmiddlewaretoken', 'once', 'driver'];
function link() {
  const given = [...new FormData(form)].filter(([name, text]) => text && !PERSONAL.includes(name));
  return `${location.origin}/?${new URLSearchParams(given)}`;
}
share.hidden = !navigator.clipboard; // which browsers give to secure addresses only
share.addEventListener('click', async () => {
  await navigator.clipboard.writeText(share.dataset.link);
  share.textContent = 'Copied';
  setTimeout(() => { share.textContent = 'Copy as a link'; }, 1500);
});

function say() {
  if (!circuit() || !driver()) return;
  share.dataset.link = link();
  laps.max = circuit().dataset.distance;
  laps.placeholder = circuit().dataset.laps;
  const words = wrong();
  document.getElementById('wrong').textContent = words;
  document.getElementById('go').textContent = words ? `Start: ${driver().dataset.name} at ${circuit().dataset.name}` : promise();
}

function choose(input) {
  input.checked = true;
  input.dispatchEvent(new Event('change', { bubbles: true }));
}

function search() {
  const words = find.value.trim().toLowerCase();
  const cards = [...form.querySelectorAll('.card[data-find]')];
  const hits = cards.filter((card) => card.dataset.find.split(' ').some((part) => part.startsWith(words)) || card.dataset.find.includes(words));
  for (const card of cards) card.classList.toggle('away', Boolean(words) && !hits.includes(card));
  if (words && hits.length) choose(hits[0].querySelector('input'));
}

form.addEventListener('click', (event) => {
  const button = event.target.closest('[data-preset]');
  if (button) { apply(button.dataset.preset); say(); }
});
form.addEventListener('input', ({ target }) => {
  if (target === laps || target === pace) press(asPreset());
  say();
});
form.addEventListener('change', ({ target }) => {
  if (target.name === 'circuit' && preset) apply(preset);
  say();
});
find.addEventListener('input', search);
find.addEventListener('keydown', (event) => {
  if (event.key === 'Enter') { event.preventDefault(); driver()?.focus(); }
});
// typing anywhere begins to search
document.addEventListener('keydown', (event) => {
  const letter = event.key.length === 1 && /[a-z0-9]/i.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey;
  const busy = event.target.closest('input:not([type="radio"]), select, textarea, button, a');
  if (letter && !busy) find.focus();
});
const card = circuit()?.closest('.card');
if (card) card.parentElement.scrollLeft = card.offsetLeft - (card.parentElement.clientWidth - card.offsetWidth) / 2;
if (circuit()) press(asPreset());
say();
// what has to be mended comes into view, not behind the bar with the button
form.querySelector('.error')?.scrollIntoView({ block: 'center' });
