// The page of a class: asks for its board every two seconds, and takes everybody along when the race starts.
import './document.js';

const board = document.getElementById('now');
const every = Number(board.dataset.every);
const race = () => board.querySelector('[data-race]').dataset.race;
let before = race();

async function next() {
  const busy = !getSelection().isCollapsed || board.contains(document.activeElement); // who tabs or copies there keeps the rows
  if (!document.hidden && !busy) {
    const answer = await fetch(`${location.pathname}now/${location.search}`).catch(() => null);
    if (answer?.ok) board.innerHTML = await answer.text();
    const now = race();
    if (now && now !== before && 'follows' in document.body.dataset) location.assign(now);
    before = now;
  }
  setTimeout(next, every);
}
setTimeout(next, every);
