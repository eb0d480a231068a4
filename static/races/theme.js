// Before the first paint, so that nobody who chose light sees a dark flash: the one script in the head.
(() => {
  const kept = () => { try { return localStorage.getItem('theme'); } catch { return null; } };
  const set = (theme) => { document.documentElement.dataset.theme = theme; };
  set(kept() || 'dark');
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-do="theme"]')) toggle();
  });
  function toggle() {
    const theme = document.documentElement.dataset.theme === 'light' ? 'dark' : 'light';
    set(theme);
    try { localStorage.setItem('theme', theme); } catch { /* private windows may refuse */ }
  }
})();
