// The SQL workspace: editor, statements, history. One request waits for news of all statements.
import { makeEditor } from './editor.js';
import { Card } from './card.js';

const $ = (id) => document.getElementById(id);
const HISTORY = 'sql-history', DRAFT = 'sql-draft', LONGEST_HISTORY = 60;
const PAUSE_MS = 200; // between two looks: what came meanwhile is drawn at once
const kept = (name, otherwise) => { try { return JSON.parse(localStorage.getItem(name)) ?? otherwise; } catch { return otherwise; } };
const keep = (name, value) => { try { localStorage.setItem(name, JSON.stringify(value)); } catch { /* private windows may refuse */ } };

const form = $('desk'), results = $('results'), problem = $('problem');
const cards = new Map();
let version = -1;
let kick = new AbortController();

const words = [...document.querySelectorAll('.table summary code, .table .word')].map((one) => one.dataset.word || one.textContent);
const editor = makeEditor($('editor'), kept(DRAFT, null) ?? $('plain').value, [...new Set(words)], {
  run: () => run(false), explain: () => run(true), changed: (text) => { keep(DRAFT, text); complain(''); },
});

function complain(text, place = null) {
  problem.hidden = !text;
  problem.textContent = text;
  editor.mark(place);
}

async function post(address, fields = {}) {
  const body = new FormData(form);
  body.delete('text');
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return fetch(address, { method: 'POST', body, headers: { Accept: 'application/json' } });
}

async function run(explain) {
  const [cursor, until] = editor.selection();
  complain('');
  const fields = { text: editor.text(), cursor, until, ...(explain ? { explain: 1 } : {}) };
  remember(fields.text.slice(...(until > cursor ? [cursor, until] : [0])).trim());
  let answer, reply;
  try {
    answer = await post(form.action, fields);
    reply = await answer.json();
  } catch {
    complain('The lab does not answer. Is it still running? Nothing was lost: the text is kept.');
    return;
  }
  if (reply.error) complain(reply.error, reply.place);
  kick.abort(); // what waits is asked anew, for the new statement too
}

const actions = {
  stop: (id) => post(`${id}/stop/`).catch(() => {}),
  forget: async (id) => {
    cards.get(id)?.root.remove();
    cards.delete(id);
    await post(`${id}/forget/`).catch(() => {});
    empty();
  },
  recall: (sql) => editor.put(sql.endsWith(';') ? sql : `${sql};`),
};

function empty() { $('none').hidden = cards.size > 0; }

async function follow() {
  for (;;) {
    const seen = [...cards.values()].map((card) => `${card.id}:${card.seen}`).join(',');
    kick = new AbortController();
    let pause = 0;
    try {
      const answer = await fetch(`changes/?version=${version}&seen=${seen}`, { signal: kick.signal });
      if (!answer.ok) throw new Error(answer.status);
      take(await answer.json());
    } catch (error) {
      if (error.name !== 'AbortError') {
        trouble('The lab does not answer just now; trying again.');
        version = -1;
        pause = 2000;
      }
    }
    await new Promise((done) => setTimeout(done, pause || PAUSE_MS));
  }
}

function take(reply) {
  version = reply.version;
  trouble(reply.trouble || (reply.leftovers ? `The workspace ended ${reply.leftovers} statement${reply.leftovers > 1 ? 's' : ''} that an earlier run of the lab had left in Flink.` : ''));
  if (reply.slots !== null) $('slots').textContent = `${reply.free} of ${reply.slots} slots free`;
  const there = new Set();
  for (const one of reply.statements) {
    there.add(one.id);
    let card = cards.get(one.id);
    if (!card) {
      card = new Card($('card'), actions);
      cards.set(one.id, card);
      results.prepend(card.root);
    }
    const failed = one.state === 'failed' && card.state !== 'failed';
    card.update(one);
    if (failed && one.place && editor.text().slice(...one.place).length) editor.mark(one.place);
  }
  for (const [id, card] of cards) if (!there.has(id)) { card.root.remove(); cards.delete(id); }
  empty();
  requestAnimationFrame(draw);
}

function draw() { for (const card of cards.values()) card.draw(); }

function trouble(text) {
  $('trouble').hidden = !text;
  $('trouble').textContent = text;
}

function remember(text) {
  if (!text) return;
  const others = kept(HISTORY, []).filter((one) => one.text !== text);
  keep(HISTORY, [{ text, at: Date.now() }, ...others].slice(0, LONGEST_HISTORY));
}

function openHistory() {
  const list = $('history-list');
  list.replaceChildren(...kept(HISTORY, []).map((one) => {
    const item = document.createElement('li');
    const button = document.createElement('button');
    const time = document.createElement('small');
    time.textContent = new Date(one.at).toLocaleString();
    button.type = 'button';
    const code = document.createElement('code');
    code.textContent = one.text;
    button.append(code, time);
    button.addEventListener('click', () => { $('history').close(); editor.put(one.text); });
    item.append(button);
    return item;
  }));
  if (!list.children.length) list.append('Nothing yet.');
  $('history').showModal();
}

form.addEventListener('submit', (event) => { event.preventDefault(); run(false); });
$('explain').addEventListener('click', () => run(true));
$('history-open').addEventListener('click', openHistory);
$('history-clear').addEventListener('click', () => { keep(HISTORY, []); $('history').close(); });
$('keys-open').addEventListener('click', () => $('keys').showModal());
document.addEventListener('click', (event) => {
  if (event.target.closest('[data-close]')) event.target.closest('dialog').close();
  const example = event.target.closest('.example');
  if (example) editor.put(example.nextElementSibling.content.textContent);
  const word = event.target.closest('.word');
  if (word) editor.insert(word.dataset.word);
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !document.querySelector('dialog[open]')) {
    event.preventDefault();
    run(event.shiftKey);
  }
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  const act = {
    KeyH: openHistory, KeyE: () => editor.focus(),
    Period: () => { const card = [...cards.values()].reverse().find((one) => one.active); if (card) actions.stop(card.id); },
  }[event.code];
  if (act) { event.preventDefault(); act(); }
});
editor.focus();
follow();
