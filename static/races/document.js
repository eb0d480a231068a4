// Pages without a socket: figures as this reader writes them, and times of this place.
import { keep, kept } from './storage.js';
import { localise, showSpeed } from './units.js';

const FIGURES = 'td, tbody th, dd, .mine, .why, .words span, .foot, .circuit span, .chart text, .chart title, [aria-label]';
const unit = document.querySelector('.unit');

function units(mph) {
  for (const cell of document.querySelectorAll('[data-kmh]')) showSpeed(cell, mph, 1);
  unit.firstElementChild.textContent = mph ? 'mph' : 'km/h';
  keep('mph', mph);
}

for (const time of document.querySelectorAll('time[datetime]')) {
  time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
}
document.querySelectorAll(FIGURES).forEach((element) => localise(element)); // one inside another is not changed twice
if (unit) {
  unit.innerHTML = '<button type="button" title="km/h or mph"></button>';
  unit.firstElementChild.addEventListener('click', () => units(unit.textContent === 'km/h'));
  units(kept('mph', false));
}

// Paper has no fold: what is closed on the page is open in print, and closed again afterwards.
const folded = () => document.querySelectorAll('.sheet details:not([open])');
let unfolded = [];
addEventListener('beforeprint', () => { unfolded = [...folded()]; for (const part of unfolded) part.open = true; });
addEventListener('afterprint', () => { for (const part of unfolded) part.open = false; });

// Charts by laps, read lap by lap: the pointer or the arrow keys move a ruler, and the values come from the chart's table.
for (const chart of document.querySelectorAll('.chart[data-laps]')) {
  const plot = chart.querySelector('.plot');
  const table = chart.closest('.sheet').querySelector('table.data');
  if (!table) continue;
  const codes = Array.from(table.tHead.rows[0].cells, (cell) => cell.textContent);
  const rows = new Map(Array.from(table.tBodies[0].rows, (row) => [Number(row.cells[0].textContent), row]));
  const wide = Number(chart.dataset.laps);
  const shown = chart.dataset.shown.split(' ');
  const says = Object.assign(document.createElement('p'), { className: 'reading' });
  const ruler = Object.assign(document.createElement('i'), { className: 'ruler', hidden: true });
  says.setAttribute('aria-live', 'polite');
  chart.after(says);
  chart.append(ruler);
  let at = 0;
  const read = (lap) => {
    const row = rows.get(lap);
    ruler.hidden = !row;
    if (!row) return;
    at = lap;
    const box = plot.getBoundingClientRect();
    ruler.style.left = `${box.left - chart.getBoundingClientRect().left + (box.width * lap) / wide}px`;
    const values = shown.map((code) => [code, row.cells[codes.indexOf(code)].textContent]).filter(([, value]) => value !== '–');
    if (values.every(([, value]) => /^\d+$/.test(value))) values.sort((one, other) => one[1] - other[1]); // places
    says.textContent = `Lap ${lap}: ${values.map(([code, value]) => `${code} ${value}`).join(', ')}`;
  };
  plot.addEventListener('pointermove', (event) => {
    const box = plot.getBoundingClientRect();
    read(Math.round(((event.clientX - box.left) / box.width) * wide));
  });
  plot.addEventListener('keydown', (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    read(Math.min(Math.max(at + by, Math.min(...rows.keys())), Math.max(...rows.keys())));
  });
}
