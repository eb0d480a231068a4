// The live page's connection: takes each message from htmx's ws extension, acknowledges, reconnects, says how it does.
import { byId, expect, handlers, heard, moved, receive } from './board.js';
import './panels.js';
import './inspect.js';
import './picks.js';
import './spotlight.js';
import { move } from './map.js';
import { local } from './units.js';

const QUIET_MS = 4000;
const ACK_MS = 5000; // each costs the server half of what a frame does
let socket = null; // htmx's wrapper, while it is open
let webSocket = null;
let acked = 0;
let sent = new Map();

// ---- acknowledgements and the round trip ----
function acknowledge() {
  const now = performance.now();
  if (!socket || now - acked < ACK_MS) return;
  acked = now;
  const tick = byId('dots').dataset.tick || '0';
  sent.set(Number(tick), now);
  if (sent.size > 5) sent.delete(sent.keys().next().value);
  socket.send(`ack ${tick}`);
}

handlers.pong = (element) => {
  const tick = Number(element.textContent);
  if (!sent.has(tick)) return true;
  const trip = performance.now() - sent.get(tick);
  sent.delete(tick);
  byId('rtt').textContent = local(`round trip ${trip.toFixed(trip < 10 ? 1 : 0)} ms`);
  byId('rtt').dataset.ms = trip.toFixed(2);
  return true;
};

// ---- the connection ----
const WORDS = {
  1012: 'The server is restarting. Reconnecting…',
  4400: 'The server did not understand this page. Please reload it.',
  4404: 'This race no longer exists. Choose another one.',
  4408: 'This page had fallen asleep. Waking it…',
  4429: 'This browser has too many race pages open. Close some, then reload.',
};
const FINAL = [4400, 4404, 4429];
const HTMX_TRIES = [1006, 1011, 1012, 1013]; // after these htmx comes back by itself
const say = (words, state) => {
  if (byId('conn').textContent !== words) byId('conn').textContent = words;
  document.body.dataset.conn = state;
  const away = state === 'lost' || state === 'closed';
  if (away) for (const figure of document.querySelectorAll('.pipe b[id]')) figure.textContent = '–'; // old ones look like new
  if (away) byId('rtt').textContent = 'not connected';
};

if (window.htmx) {
  // quick, spread out, never more than three seconds: the page is back within five of the server
  htmx.config.wsReconnectDelay = (tries) => Math.min(3000, 400 * 2 ** tries) * (0.5 + Math.random() / 2);
}
document.body.addEventListener('htmx:wsBeforeMessage', (event) => {
  event.preventDefault();
  receive(event.detail.message);
  acknowledge();
});
document.body.addEventListener('htmx:wsOpen', (event) => {
  socket = event.detail.socketWrapper;
  webSocket = event.detail.event.target;
  expect();
  sent = new Map();
  byId('rtt').textContent = 'round trip not measured yet';
  say('', 'live');
});
document.body.addEventListener('htmx:wsClose', (event) => {
  const { event: closed, socketWrapper: wrapper } = event.detail;
  const { code } = closed;
  if (socket && closed.target !== webSocket) return; // an earlier one
  socket = null;
  // tries that fail while a server restarts don't change what is known about it
  if (code === 1006 && document.body.dataset.conn === 'lost') return;
  say(WORDS[code] || 'Connection lost. Reconnecting…', FINAL.includes(code) ? 'closed' : 'lost');
  if (code === 4408 && document.hidden) asleep = wrapper;
  else if (code === 4408) renew(wrapper);
  else if (!FINAL.includes(code) && !HTMX_TRIES.includes(code)) setTimeout(() => socket || renew(wrapper), 1000 + Math.random() * 2000);
});

// The connection that is left says nothing any more: its close comes late, with a code of the server's choice, and
// htmx would take it for a loss and close the new one.
function renew(wrapper) {
  if (webSocket) webSocket.onclose = null;
  socket = webSocket = null;
  wrapper.reconnect();
}

let asleep = null;
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  if (asleep) { renew(asleep); asleep = null; return; }
  move(byId('dots').textContent, true);
  // what arrived while the phone was locked may be old: the snapshot of a new connection is not
  if (socket && performance.now() - heard > 1500 && !ended()) renew(socket);
});

const ended = () => byId('st').classList.contains('over') || byId('status').className === 'stopped';
setInterval(() => {
  acknowledge();
  if (!socket || document.hidden || ended() || byId('st').classList.contains('waiting')) return;
  // one sentence each: a screen reader says every change, and the footers count the seconds
  const now = performance.now();
  if (now - heard > QUIET_MS) say('The server has gone quiet: what you see is old', 'silent');
  else if (now - moved > QUIET_MS) say('No new ticks: the stream is quiet', 'quiet');
  else say('', 'live');
}, 1000);
