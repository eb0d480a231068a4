// Who has whom, in the order of the race: the places are those of the tower on this page.
import { byId } from './board.js';

const EVERY_MS = 1000;
const list = document.querySelector('.picks ol');
let shown = -EVERY_MS;

function words(code) {
  if (byId(`state-${code}`)?.className === 'out') return 'out';
  return `P${byId(`pos-${code}`)?.textContent ?? ''}`;
}
function show() {
  if (!list || performance.now() - shown < EVERY_MS) return;
  shown = performance.now();
  const place = (item) => Array.from(byId('rows').children).indexOf(byId(`row-${item.dataset.code}`));
  const items = [...list.children].sort((a, b) => place(a) - place(b));
  for (const item of items) item.firstElementChild.textContent = words(item.dataset.code);
  if (byId('pick-place')) byId('pick-place').textContent = words(document.body.dataset.pick);
  if (items.some((item, at) => list.children[at] !== item)) list.append(...items);
}
document.addEventListener('board:changed', show);
show();
