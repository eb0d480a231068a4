// Look inside: the record behind a number, a dot, a line or an alarm. Alt-click, a long press, or I on what the pointer
// is on, else on the row that has the focus, else on the own car.
import { byId } from './board.js';

const LONG_MS = 600;
const drawer = byId('record');
const inside = drawer.querySelector('.inside');
const FIGURES = /^[+\d.,:]+$/;

// What has a record: its name as the server knows it.
function named(target) {
  const line = target.closest?.('[data-cell]');
  if (line) return line.dataset.cell;
  const cell = target.closest?.('.tower td b[id], #speeds b[id], #clock, #lap, #flag');
  if (cell) return cell.id.includes('-') ? cell.id : `${cell.id}-`;
  const engine = target.closest?.('#panel-engines figure, #panel-engines .own')?.querySelector('b').textContent;
  if (engine) return `engine-${engine}`;
  const car = target.closest?.('.dot, #rows tr')?.dataset.c;
  return car && `${target.closest('.dot') ? 'dot' : 'pos'}-${car}`;
}

async function look(cell, element) {
  const shown = byId(cell)?.textContent ?? '';
  const query = new URLSearchParams({
    part: 1, cell, tick: element?.dataset?.at ?? byId('dots').dataset.tick ?? 0, shown: FIGURES.test(shown) ? shown.replace(',', '.') : shown,
  });
  inside.textContent = 'Looking in Kafka…';
  if (!drawer.open) drawer.showModal();
  const answer = await fetch(`/races/${document.body.dataset.race}/record/?${query}`).catch(() => null);
  if (answer) inside.innerHTML = await answer.text();
  else inside.textContent = 'The server does not answer.';
}

function lookAt(target) {
  const cell = named(target);
  if (cell) look(cell, target.closest('[data-cell]'));
  return Boolean(cell);
}

let pressed = 0;
document.addEventListener('pointerdown', (event) => {
  clearTimeout(pressed);
  if (event.pointerType !== 'mouse') pressed = setTimeout(() => lookAt(event.target), LONG_MS);
});
for (const end of ['pointerup', 'pointercancel', 'pointermove', 'scroll']) {
  document.addEventListener(end, () => clearTimeout(pressed), { passive: true });
}
document.addEventListener('click', (event) => {
  const asked = event.target.closest('#record [data-cell], [data-do="inspect"]');
  if (!event.altKey && !asked) return;
  if (asked ? !look(asked.dataset.cell || `pos-${document.body.dataset.own}`) : !lookAt(event.target)) return;
  event.preventDefault();
  event.stopPropagation();
}, { capture: true });
document.addEventListener('keydown', (event) => {
  if (event.key.toLowerCase() !== 'i' || event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input, select') || document.querySelector('dialog:modal')) return;
  const pointed = [...document.querySelectorAll(':hover')].at(-1);
  if (pointed && lookAt(pointed)) return;
  lookAt(document.activeElement) || look(`pos-${document.body.dataset.own}`);
});
