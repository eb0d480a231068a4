// The words point: a new line of commentary lights the rows and dots of the cars that it speaks of. One spotlight at a
// time; a bold line is also a banner over the tower's head, and a lighter one does not take its place.
import { byId } from './board.js';
import { mark } from './map.js';

const LIT_MS = 2500;
const BANNER_MS = 3000;
const banner = document.querySelector('.banner');
let heavy = false;
let over = 0;

function light(codes) {
  for (const row of byId('rows').children) row.classList.toggle('spot', codes.includes(row.dataset.c));
  mark('spot', codes);
}
function out() {
  heavy = false;
  banner.hidden = true;
  light([]);
}

document.addEventListener('board:said', ({ detail: line }) => {
  const codes = line.dataset.lit?.split(' ') ?? [];
  const bold = line.classList.contains('k-highlight');
  if (document.hidden || (heavy && !bold) || (!codes.length && !bold)) return;
  clearTimeout(over);
  out();
  heavy = bold;
  light(codes);
  if (bold) banner.replaceChildren(...line.querySelector('span').cloneNode(true).childNodes);
  banner.hidden = !bold;
  over = setTimeout(out, bold ? BANNER_MS : LIT_MS);
});
