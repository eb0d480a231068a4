// Before the first paint, so that nobody in the light sees a dark flash: the one script in the head.
// The system's choice holds, and is followed when it changes, until the reader makes one.
(() => {
  const kept = () => { try { return localStorage.getItem('theme'); } catch { return null; } };
  const set = (theme) => { document.documentElement.dataset.theme = theme; };
  const day = matchMedia('(prefers-color-scheme: light)');
  const follow = () => set(kept() || (day.matches ? 'light' : 'dark'));
  follow();
  day.addEventListener('change', follow);
  // Paper is white, whatever the screen is.
  addEventListener('beforeprint', () => set('light'));
  addEventListener('afterprint', follow);
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-do="theme"]')) toggle();
  });
  function toggle() {
    const theme = document.documentElement.dataset.theme === 'light' ? 'dark' : 'light';
    set(theme);
    try { localStorage.setItem('theme', theme); } catch { /* private windows may refuse */ }
  }
})();
