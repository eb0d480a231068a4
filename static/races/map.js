// Cars on the track map: glides each dot along the outline between two ticks, never across it.
window.TrackMap = (() => {
  const svg = document.getElementById('map');
  if (!svg) return { move() {}, jump() {}, mark() {} };
  const points = (id) => Array.from(document.getElementById(id).points, (p) => [p.x, p.y]);
  const outline = points('outline');
  const pit = points('pitlane');
  const entry = Number(svg.dataset.entry);
  const exit = Number(svg.dataset.exit);
  const pitSpan = (exit - entry + 1) % 1;
  const GLIDE_MS = 220; // a little over a tick, so that a message a few ms late doesn't make the field stutter
  const cars = svg.dataset.cars.split(' ').map((code) => {
    const g = svg.querySelector(`.dot[data-c="${code}"]`);
    return { code, g, text: g.querySelector('text'), from: 0, to: 0, at: 0, x: 0, y: 0, state: null, placed: false };
  });
  let started = 0;
  let running = false;
  let labelled = 0;

  function along(line, share, closed) {
    const spans = closed ? line.length : line.length - 1;
    const at = Math.min(Math.max(share, 0), 1) * spans;
    const k = Math.min(Math.floor(at), spans - 1);
    const [ax, ay] = line[k];
    const [bx, by] = line[(k + 1) % line.length];
    return [ax + (bx - ax) * (at - k), ay + (by - ay) * (at - k)];
  }

  function point(car) {
    const share = car.at % 1;
    const inLane = (share - entry + 1) % 1;
    if (car.state === 'p' && pit.length > 1 && inLane <= pitSpan) return along(pit, inLane / pitSpan, false);
    return along(outline, share, true);
  }

  function draw(now) {
    const k = Math.min((now - started) / GLIDE_MS, 1);
    for (const car of cars) {
      if (!car.placed) continue;
      car.at = car.from + (car.to - car.from) * k;
      const [x, y] = point(car);
      if (Math.abs(x - car.x) + Math.abs(y - car.y) < 0.05) continue;
      car.x = x; car.y = y;
      car.g.setAttribute('transform', `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    }
    if (now - labelled > 400) { labelled = now; label(); }
    running = k < 1 && !document.hidden;
    if (running) requestAnimationFrame(draw);
  }

  // A label that would cover another one steps back; own, followed and leading cars keep theirs.
  function label() {
    const weight = (car) => car.g.matches('.own, .followed') ? 0 : car.g.matches('.lead') ? 1 : 2;
    const kept = [];
    for (const car of [...cars].sort((a, b) => weight(a) - weight(b))) {
      const hidden = !car.placed || kept.some((o) => Math.abs(o.x - car.x) < 52 && Math.abs(o.y - car.y) < 24);
      car.g.classList.toggle('mute', hidden);
      if (!hidden) kept.push(car);
    }
  }

  // text: one entry a car, its share of the lap in ten-thousandths and a letter for its state
  function move(text, jump) {
    const entries = text.split(' ');
    cars.forEach((car, index) => {
      const entry_ = entries[index];
      if (!entry_) { car.g.style.display = 'none'; car.placed = false; return; }
      const share = parseInt(entry_, 10) / 10000;
      const state = entry_.match(/[a-z]?$/)[0];
      if (state !== car.state) {
        car.state = state;
        car.g.classList.toggle('gone', state === 'r');
        car.g.classList.toggle('pitting', state === 'p');
      }
      let ahead = (share - (car.at % 1) + 1) % 1;
      if (ahead > 0.9) ahead -= 1; // a hair behind where it already is, not a lap ahead
      car.from = jump || !car.placed ? share : car.at;
      car.to = jump || !car.placed ? share : car.at + ahead;
      if (!car.placed) { car.placed = true; car.g.style.display = ''; car.x = -1e4; }
    });
    started = performance.now();
    if (jump) started -= GLIDE_MS;
    if (!running && !document.hidden) { running = true; requestAnimationFrame(draw); }
  }

  function mark(name, code) {
    for (const car of cars) car.g.classList.toggle(name, car.code === code);
  }

  svg.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const dots = cars.map((car) => car.g);
    const at = dots.indexOf(document.activeElement);
    if (step && at >= 0) { dots[(at + step + dots.length) % dots.length].focus(); event.preventDefault(); }
    if ((event.key === 'Enter' || event.key === ' ') && at >= 0) {
      event.preventDefault();
      dots[at].dispatchEvent(new MouseEvent('click', { bubbles: true }));
    }
  });
  cars[0]?.g.setAttribute('tabindex', '0');
  for (const car of cars) car.g.style.display = 'none';
  return { move, mark };
})();
