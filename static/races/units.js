// Figures as this reader writes them: a decimal comma where it is one, km/h or mph. The server writes a point and km/h.
const KM_A_MILE = 1.609344;
const comma = (1.5).toLocaleString().includes(',');

export const local = (text) => (comma ? text.replace(/(\d)\.(?=\d)/g, '$1,') : text);

// Every text inside the element, its own label included.
export function localise(element) {
  if (!comma) return;
  const label = element.getAttribute('aria-label');
  if (label) element.setAttribute('aria-label', local(label));
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.data = local(texts.currentNode.data);
}

// What the server wrote stays with the element, so that the other unit is never computed from a rounded figure.
export function showSpeed(element, mph, digits) {
  const kmh = element.dataset.kmh ?? element.textContent.replace(',', '.');
  if (Number.isNaN(Number(kmh))) return;
  element.dataset.kmh = kmh;
  element.textContent = local(mph ? (Number(kmh) / KM_A_MILE).toFixed(digits) : kmh);
}
