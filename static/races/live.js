// The live page: puts the cells of each message in their places, glides rows, acknowledges, reconnects.
// The socket is htmx's ws extension. Its own swap fires events for every element that the message has brought so
// far, which grows with the square of the cells in a tick; so the page takes each message before it and puts the
// elements in by their id itself: the same messages, the same out-of-band rules (an id, or afterbegin:#list).
(() => {
  const byId = (id) => document.getElementById(id);
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  const comma = (1.5).toLocaleString().includes(',');
  const NOTES = 40;
  const QUIET_MS = 4000;
  const ACK_MS = 5000; // each costs the server half of what a frame does
  let socket = null; // htmx's wrapper, while it is open
  let line = null; // the WebSocket itself
  let heard = 0; // the last message of any kind
  let moved = 0; // the last tick
  let acked = 0;
  let sent = new Map();
  let fresh = true; // the next message is a snapshot: nothing glows, nothing glides

  // ---- messages ----
  function receive(text) {
    const holder = document.createElement('template');
    holder.innerHTML = text;
    const quiet = fresh || performance.now() - heard > 1500 || document.hidden;
    for (const element of [...holder.content.children]) place(element, quiet);
    heard = performance.now();
    fresh = false;
    document.dispatchEvent(new CustomEvent('board:changed'));
    acknowledge();
  }

  function place(element, quiet) {
    const list = element.getAttribute('hx-swap-oob');
    if (list) return prepend(byId(list.split('#')[1]), element);
    const old = byId(element.id);
    if (!old) return undefined;
    if (element.id === 'pong') return pong(Number(element.textContent));
    if (element.id === 'dots') { moved = performance.now(); window.TrackMap.move(element.textContent, quiet); }
    if (element.id === 'order') return reorder(element, old, quiet);
    if (element.id === 'st' && old.className !== element.className) announce(old, element);
    if (element.tagName === 'PROGRESS') { old.value = element.value; return undefined; }
    numbers(element);
    const shown = retext(old, element) ? old : element;
    if (!quiet && GLOWS.test(element.id) && !calm.matches) glow(shown);
    if (shown === element) old.replaceWith(element);
    if (/^s[A-Z0-9]{3,8}$/.test(element.id)) rowState(element);
    if (element.id === 'tower') rowStates();
    if (element.id === 'tower') document.dispatchEvent(new CustomEvent('board:rows'));
    return undefined;
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
  const GLOWS = /^[plbxyztn][A-Z0-9]{3,8}$/;
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
  function rowStates() {
    for (const row of byId('rows').children) rowState(byId('s' + row.dataset.c));
  }

  function prepend(list, element) {
    if (!list) return;
    numbers(element);
    list.prepend(...element.children);
    while (list.children.length > NOTES) list.lastElementChild.remove();
  }

  // Rows glide to their new place. They are all as high: how far they go follows from the order, and nothing is
  // measured, which would make the browser lay the page out in the middle of a tick.
  function reorder(element, old, quiet) {
    old.replaceWith(element);
    const rows = byId('rows');
    const wanted = element.textContent.split(' ').map((code) => byId('R' + code)).filter(Boolean);
    if (wanted.every((row, index) => rows.children[index] === row)) return;
    const before = new Map(Array.from(rows.children, (row, index) => [row, index]));
    const focus = document.activeElement;
    wanted.forEach((row, index) => { if (rows.children[index] !== row) rows.insertBefore(row, rows.children[index]); });
    if (focus && document.activeElement !== focus) focus.focus({ preventScroll: true });
    window.TrackMap.mark('lead', wanted[0]?.dataset.c);
    if (quiet || calm.matches) return;
    wanted.forEach((row, index) => {
      const by = before.get(row) - index;
      if (!by) return;
      row.classList.toggle('rising', by > 0);
      const way = row.animate([{ transform: `translateY(${by * 100}%)` }, { transform: 'none' }], { duration: 250, easing: 'ease-out' });
      way.onfinish = () => row.classList.remove('rising');
    });
  }

  // ---- numbers as this reader writes them ----
  const SPEED = /^[av][A-Z0-9]+$/;
  const PLAIN = ['st', 'order', 'dots', 'bar', 'life', 'feed']; // no figures, or an address among the words
  const local = (text) => (comma ? text.replace(/(\d)\.(?=\d)/g, '$1,') : text);
  function numbers(element) {
    if (document.body.classList.contains('mph')) speeds(element);
    if (!comma || PLAIN.includes(element.id)) return;
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = local(texts.currentNode.data);
  }

  // What the server wrote stays with the cell, so that the other unit is never computed from a rounded figure.
  function speeds(element) {
    const cells = SPEED.test(element.id) ? [element] : element.querySelectorAll('.avg b, #speeds b');
    for (const cell of cells) {
      const kmh = cell.dataset.kmh ?? cell.textContent.replace(',', '.');
      if (Number.isNaN(Number(kmh))) continue;
      cell.dataset.kmh = kmh;
      cell.textContent = (Number(kmh) / 1.609344).toFixed(cell.id[0] === 'a' ? 1 : 0);
    }
  }

  function units() {
    const mph = document.body.classList.contains('mph');
    for (const cell of document.querySelectorAll('#tower [data-kmh], #speeds [data-kmh]')) {
      cell.textContent = local(cell.dataset.kmh);
      delete cell.dataset.kmh;
    }
    if (mph) for (const list of ['tower', 'speeds']) numbers(byId(list));
    for (const name of document.querySelectorAll('#unit, .unitname')) name.textContent = mph ? 'mph' : 'km/h';
  }

  // ---- what the state element says, for sound and for the result ----
  function announce(old, now) {
    const was = old.className.split(' ');
    const is = now.className.split(' ');
    document.dispatchEvent(new CustomEvent('board:state', { detail: { was, is } }));
    const live = was[0] !== 'over' && was[0] !== 'waiting';
    if (is[0] === 'over' && live && !document.body.classList.contains('big')) setTimeout(() => byId('finish').showModal(), 1200);
  }

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

  function pong(tick) {
    if (!sent.has(tick)) return;
    const trip = performance.now() - sent.get(tick);
    sent.delete(tick);
    byId('rtt').textContent = local(`round trip ${trip.toFixed(trip < 10 ? 1 : 0)} ms`);
    byId('rtt').dataset.ms = trip.toFixed(2);
  }

  // ---- the connection ----
  const WORDS = {
    1012: 'The server restarts. Reconnecting…',
    4400: 'The server did not understand this page. Please reload it.',
    4404: 'This race does not exist any more. Choose another one.',
    4408: 'This page had fallen asleep. Waking it…',
    4429: 'Too many pages of this browser watch races. Close some, then reload.',
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
  });
  document.body.addEventListener('htmx:wsOpen', (event) => {
    socket = event.detail.socketWrapper;
    line = event.detail.event.target;
    fresh = true;
    heard = moved = performance.now();
    sent = new Map();
    byId('rtt').textContent = 'round trip not measured yet';
    say('', 'live');
  });
  document.body.addEventListener('htmx:wsClose', (event) => {
    const { event: closed, socketWrapper: wrapper } = event.detail;
    const { code } = closed;
    if (socket && closed.target !== line) return; // an earlier one
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
    if (line) line.onclose = null;
    socket = line = null;
    wrapper.reconnect();
  }

  let asleep = null;
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return;
    if (asleep) { renew(asleep); asleep = null; return; }
    window.TrackMap.move(byId('dots').textContent, true);
    // what arrived while the phone was locked may be old: the snapshot of a new connection is not
    if (socket && performance.now() - heard > 1500 && !ended()) renew(socket);
  });

  const ended = () => byId('st').classList.contains('over') || byId('life').className === 'stopped';
  setInterval(() => {
    acknowledge();
    if (!socket || document.hidden || ended() || byId('st').classList.contains('waiting')) return;
    // one sentence each: a screen reader says every change, and the footers count the seconds
    const now = performance.now();
    if (now - heard > QUIET_MS) say('The server says nothing: what is shown is old', 'silent');
    else if (now - moved > QUIET_MS) say('No new ticks: the stream is quiet', 'quiet');
    else say('', 'live');
  }, 1000);

  // what the page came with
  rowStates();
  const FIGURES = '#tower, #speeds, #own, #fastest, #charts, #earlier, #commentary, #control, #result, #legend dl, [id^="k-"], [id^="q-"]';
  for (const element of document.querySelectorAll(FIGURES)) numbers(element);
  if (byId('dots').textContent) window.TrackMap.move(byId('dots').textContent, true);
  window.TrackMap.mark('lead', byId('rows').firstElementChild?.dataset.c);
  window.Board = { receive, units, local, byId };
})();
