// The replay: the live page with the socket replaced by a playhead. A seek fetches the whole page's cells at a tick;
// playing fetches the messages that the live page would have been sent, a few seconds ahead of the playhead.
import { byId, openResultIf, receive } from './board.js';
import { beat, move } from './map.js';
import './panels.js';
import './inspect.js';
import './spotlight.js';

const bar = byId('replay');
const head = byId('head');
const { base, tickMs } = bar.dataset;
const last = Number(head.max);
const BATCH = 25;
let tick = Number(head.value);
let speed = 1;
let playing = false;
let played = false; // the newest frame came by playing: only then does the flag open the result
let queue = [];
let filling = null;
let seeking = false;
let wanted = null;
let timer = 0;
let due = 0;

const frameTicks = () => Math.max(1, speed); // never more than five frames a second
const every = () => tickMs * frameTicks() / speed;
const clock = (at) => {
  const seconds = Math.floor(at * tickMs / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
};

function stand(at) {
  tick = at;
  head.value = at;
  byId('at').textContent = clock(at); // not how long it is: a race that was stopped would tell
  head.setAttribute('aria-valuetext', clock(at));
}
function say(words) { byId('conn').textContent = words; }
async function get(path, signal) {
  const answer = await fetch(base + path, { signal });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer;
}

// ---- seeking: one request at a time, the newest wish wins ----
async function seek(to) {
  wanted = Math.min(Math.max(to, 0), last);
  forget();
  stand(wanted);
  if (seeking) return;
  seeking = true;
  try {
    while (wanted !== null) {
      const at = wanted;
      const text = await (await get(`${at}/`)).text();
      if (wanted === at) wanted = null;
      played = false;
      receive(text);
      move(byId('dots').textContent, true);
    }
    say('');
    remember();
  } catch { lost(); }
  seeking = false;
  if (playing) run();
}

// ---- events: the marks of the timeline ----
const marks = Array.from(bar.querySelectorAll('.marks a'), (link) => {
  link.tabIndex = -1; // the keys and the two buttons go from one to the next
  return { at: Number(new URLSearchParams(link.getAttribute('href')).get('tick')), kind: link.dataset.kind, words: link.dataset.words };
});
function toEvent(by, kind = '') {
  const wanted = marks.filter((mark) => (!kind || mark.kind === kind) && (by > 0 ? mark.at > tick : mark.at < tick));
  const mark = by > 0 ? wanted[0] : wanted.at(-1);
  if (mark) jump(mark.at);
}
function jump(to) {
  const from = tick;
  seek(to);
  tell(from, tick);
}
// What has happened between where the playhead was and where it is now; after a jump back there is nothing to tell.
let hiding = 0;
function tell(from, to) {
  const passed = marks.filter((mark) => mark.at > from && mark.at <= to).map((mark) => mark.words);
  const more = passed.length - 4;
  const words = more > 0 ? [`${more} more`, ...passed.slice(-4)] : passed;
  byId('since').hidden = !words.length;
  byId('since').textContent = words.length ? `Since ${clock(from)}: ${words.join(', ')}` : '';
  clearTimeout(hiding);
  hiding = setTimeout(() => { byId('since').hidden = true; }, 8000);
}

function lost() {
  wanted = null;
  pause();
  say('The lab does not answer. Press play to try again.');
}
let kept = 0;
function remember() {
  kept = performance.now();
  const address = new URL(location);
  address.searchParams.set('tick', tick);
  history.replaceState(null, '', address);
}

// ---- playing ----
function forget() {
  clearTimeout(timer);
  filling?.abort();
  filling = null;
  queue = [];
}
async function fill() {
  const from = queue.length ? queue.at(-1)[0] : tick;
  if (filling || queue.length > BATCH / 2 || from >= last) return;
  const mine = new AbortController();
  filling = mine;
  try {
    const found = await (await get(`${from}/on/?step=${frameTicks()}&count=${BATCH}`, mine.signal)).json();
    if (filling === mine) queue.push(...found.messages);
  } catch { if (filling === mine) lost(); }
  if (filling === mine) filling = null;
}
function run() {
  clearTimeout(timer);
  due = performance.now();
  next();
}
function next() {
  if (!playing || seeking) return;
  fill();
  const frame = queue.shift();
  if (frame) {
    played = true;
    receive(frame[1]);
    stand(frame[0]);
    if (performance.now() - kept > 1000) remember();
  }
  if (tick >= last) { pause(); return; }
  // what is late is not hurried after: the picture goes on from where it is
  due = Math.max(due + every(), performance.now());
  timer = setTimeout(next, frame ? due - performance.now() : 30);
}
function play() {
  playing = true;
  say('');
  show();
  if (tick >= last) seek(0); else run();
}
function pause() {
  playing = false;
  clearTimeout(timer);
  show();
  remember();
}
function show() {
  byId('play').textContent = playing ? '❚❚' : '▶';
  byId('play').setAttribute('aria-label', playing ? 'Pause' : 'Play');
}
function setSpeed(to) {
  speed = to;
  document.body.classList.toggle('hurried', speed > 2);
  beat(every());
  byId('speed').value = to;
  forget();
  if (playing) run();
}
function faster(by) {
  const speeds = Array.from(byId('speed').options, (option) => Number(option.value));
  setSpeed(speeds[Math.min(Math.max(speeds.indexOf(speed) + by, 0), speeds.length - 1)]);
}

// ---- hands ----
const toggle = () => (playing ? pause() : play());
const keys = {
  ' ': toggle, Home: () => jump(0), End: () => jump(last), '<': () => faster(-1), '>': () => faster(1),
  n: () => toEvent(1), N: () => toEvent(-1), v: () => toEvent(1, 'flag'), V: () => toEvent(-1, 'flag'),
  ArrowLeft: (event) => seek(tick - (event.shiftKey ? 1 : 25)), ArrowRight: (event) => seek(tick + (event.shiftKey ? 1 : 25)),
};
document.addEventListener('keydown', (event) => {
  const at = event.target;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
  if (at !== head && at.closest('input, select, textarea, dialog, .dot')) return;
  if (event.key === ' ' && at.closest('button, a, summary')) return;
  event.preventDefault();
  keys[event.key](event);
});
byId('play').addEventListener('click', toggle);
bar.addEventListener('click', (event) => {
  const button = event.target.closest('[data-event]');
  if (button) toEvent(Number(button.dataset.event));
  const link = event.target.closest('.marks a');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  jump(Number(new URLSearchParams(link.getAttribute('href')).get('tick')));
});
let grabbed = null; // where the playhead was when a hand took it
head.addEventListener('input', () => { grabbed ??= tick; seek(Number(head.value)); });
head.addEventListener('change', () => { if (grabbed !== null) tell(grabbed, Number(head.value)); grabbed = null; });
byId('speed').addEventListener('change', (event) => setSpeed(Number(event.target.value)));
bar.addEventListener('submit', (event) => event.preventDefault());
document.addEventListener('visibilitychange', () => { if (document.hidden && playing) pause(); });
openResultIf(() => played && tick >= last);

for (const button of bar.querySelectorAll('button[hidden]')) button.hidden = false;
stand(tick);
