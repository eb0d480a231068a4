// Figures as this reader writes them, on pages without a socket: a decimal comma where it is one, km/h or mph, the
// hour of this place.
// The server writes a point everywhere; the live page's own figures are in live.js.
(() => {
  const FIGURES = 'td, tbody th, dd, .mine, .why, .words span, .foot, .circuit span, .chart text, .chart title, [aria-label]';
  const comma = (1.5).toLocaleString().includes(',');
  const local = (words) => (comma ? words.replace(/(\d)\.(?=\d)/g, '$1,') : words);

  function write(element) {
    const label = element.getAttribute('aria-label');
    if (label) element.setAttribute('aria-label', local(label));
    for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) node.data = local(node.data);
  }

  const unit = document.querySelector('.unit');
  function units(mph) {
    for (const cell of document.querySelectorAll('[data-kmh]')) {
      const speed = Number(cell.dataset.kmh) / (mph ? 1.609344 : 1);
      cell.textContent = local(speed.toFixed(1));
    }
    unit.firstElementChild.textContent = mph ? 'mph' : 'km/h';
    try { localStorage.setItem('mph', mph); } catch { /* private windows may refuse */ }
  }
  function kept() { try { return localStorage.getItem('mph') === 'true'; } catch { return false; } }

  for (const time of document.querySelectorAll('time[datetime]')) {
    time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
  }
  if (comma) document.querySelectorAll(FIGURES).forEach(write);
  if (unit) {
    unit.innerHTML = '<button type="button" title="km/h or mph"></button>';
    unit.firstElementChild.addEventListener('click', () => units(unit.textContent === 'km/h'));
    units(kept());
  }
})();
