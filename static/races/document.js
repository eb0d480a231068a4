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
