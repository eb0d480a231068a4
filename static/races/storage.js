// What this browser remembers, as JSON under a name. Private windows may refuse both.
export function keep(name, value) {
  try { localStorage.setItem(name, JSON.stringify(value)); } catch { /* not remembered, then */ }
}

export function kept(name, otherwise) {
  try { return JSON.parse(localStorage.getItem(name)) ?? otherwise; } catch { return otherwise; }
}
