// The selection page: says on the button what it will do, finds drivers as one types, fills in presets.
(() => {
  const form = document.getElementById('pick');
  const { laps, pace } = form.elements;
  const find = document.getElementById('find');
  const GRID_S = 7; // five lights, the hold, and the first tick
  const circuit = () => form.querySelector('[name="circuit"]:checked');
  const driver = () => form.querySelector('[name="driver"]:checked');

  function duration(seconds) {
    if (seconds < 150) return `about ${Math.round(seconds / 5) * 5} s`;
    const minutes = Math.round(seconds / 60);
    return minutes < 100 ? `about ${minutes} min` : `about ${(minutes / 60).toFixed(1)} h`;
  }

  function say() {
    const at = circuit();
    const who = driver();
    if (!at || !who) return;
    laps.max = at.dataset.distance;
    laps.placeholder = at.dataset.laps;
    const distance = Number(laps.value || at.dataset.laps);
    // a race lap is some 4 % slower than the fastest one: fuel, traffic, stops
    const seconds = distance * Number(at.dataset.lap) * 1.04 / Number(pace.value || 12) + GRID_S;
    document.getElementById('go').textContent =
      `Start: ${who.dataset.name} at ${at.dataset.name}, ${distance} laps, ${duration(seconds)}`;
  }

  function choose(input) {
    input.checked = true;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }

  function search() {
    const words = find.value.trim().toLowerCase();
    const cards = [...form.querySelectorAll('.card[data-find]')];
    const hits = cards.filter((card) => card.dataset.find.split(' ').some((part) => part.startsWith(words)) || card.dataset.find.includes(words));
    for (const card of cards) card.classList.toggle('away', Boolean(words) && !hits.includes(card));
    if (words && hits.length) choose(hits[0].querySelector('input'));
  }

  const presets = {
    sprint: () => { laps.value = ''; pace.value = 12; },
    gp: () => { laps.value = circuit().dataset.distance; pace.value = 12; },
    real: () => { laps.value = circuit().dataset.distance; pace.value = 1; },
  };
  form.addEventListener('click', (event) => {
    const preset = event.target.closest('[data-preset]');
    if (preset) { presets[preset.dataset.preset](); say(); }
  });
  form.addEventListener('input', say);
  form.addEventListener('change', say);
  find.addEventListener('input', search);
  find.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') { event.preventDefault(); driver().focus(); }
  });
  // typing anywhere begins to search
  document.addEventListener('keydown', (event) => {
    const letter = event.key.length === 1 && /[a-z0-9]/i.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey;
    const busy = event.target.closest('input:not([type="radio"]), select, textarea, button, a');
    if (letter && !busy) find.focus();
  });
  const card = circuit()?.closest('.card');
  if (card) card.parentElement.scrollLeft = card.offsetLeft - (card.parentElement.clientWidth - card.offsetWidth) / 2;
  say();
  // what has to be mended comes into view, not behind the bar with the button
  form.querySelector('.error')?.scrollIntoView({ block: 'center' });
})();
