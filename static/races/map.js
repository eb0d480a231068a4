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
    const label = svg.querySelector(`.label[data-c="${code}"]`);
    return { code, g, label, from: 0, to: 0, at: 0, x: 0, y: 0, lx: 0, ly: 0, state: null, placed: false };
  });
  const middle = [0, 1].map((axis) => outline.reduce((sum, p) => sum + p[axis], 0) / outline.length);
  let scale = 1; // user units to a CSS pixel
  let started = 0;
  let running = false;
  let labelled = 0;

  function along(line, share, closed) {
    const spans = closed ? line.length : line.length - 1;
    const at = Math.min(Math.max(share, 0), 1) * spans;
    const k = Math.min(Math.floor(at), spans - 1);
    const [ax, ay] = line[k];
    const [bx, by] = line[(k + 1) % line.length];
    return [ax + (bx - ax) * (at - k), ay + (by - ay) * (at - k), bx - ax, by - ay];
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
      const [x, y, dx, dy] = point(car);
      if (Math.abs(x - car.x) + Math.abs(y - car.y) < 0.05) continue;
      car.x = x; car.y = y;
      beside(car, dx, dy);
      car.g.setAttribute('transform', `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${scale})`);
      car.label.setAttribute('transform', `translate(${car.lx.toFixed(1)} ${car.ly.toFixed(1)}) scale(${scale})`);
    }
    if (now - labelled > 400) { labelled = now; label(); }
    running = k < 1 && !document.hidden;
    if (running) requestAnimationFrame(draw);
  }

  // The label stands beside the track, on the outside of the bend.
  function beside(car, dx, dy) {
    const length = Math.hypot(dx, dy) || 1;
    const outward = dy * (car.x - middle[0]) - dx * (car.y - middle[1]) < 0 ? -1 : 1;
    const nx = outward * dy / length;
    car.lx = car.x + nx * 13 * scale;
    car.ly = car.y - outward * dx / length * 15 * scale;
    const anchor = nx > 0.5 ? 'start' : nx < -0.5 ? 'end' : 'middle';
    if (anchor !== car.anchor) { car.anchor = anchor; car.label.setAttribute('text-anchor', anchor); }
  }

  // A label that would cover another one steps back; own, followed and leading cars keep theirs.
  function label() {
    const weight = (car) => car.g.matches('.own, .followed') ? 0 : car.g.matches('.lead') ? 1 : 2;
    const kept = [];
    for (const car of [...cars].sort((a, b) => weight(a) - weight(b))) {
      const near = (o) => Math.abs(o.lx - car.lx) < 27 * scale && Math.abs(o.ly - car.ly) < 13 * scale;
      const hidden = !car.placed || kept.some(near);
      car.label.classList.toggle('mute', hidden);
      if (!hidden) kept.push(car);
    }
  }

  // text: one entry a car, its share of the lap in ten-thousandths and a letter for its state
  function move(text, jump) {
    const entries = text.split(' ');
    cars.forEach((car, index) => {
      const entry_ = entries[index];
      if (!entry_) { visible(car, false); car.placed = false; return; }
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
      if (!car.placed) { car.placed = true; visible(car, true); car.x = -1e4; }
    });
    started = performance.now();
    if (jump) started -= GLIDE_MS;
    if (!running && !document.hidden) { running = true; requestAnimationFrame(draw); }
  }

  function visible(car, on) {
    car.g.style.display = car.label.style.display = on ? '' : 'none';
  }

  function mark(name, code) {
    for (const car of cars) {
      car.g.classList.toggle(name, car.code === code);
      car.label.classList.toggle(name, car.code === code);
    }
    labelled = 0;
  }

  new ResizeObserver(() => {
    if (!svg.clientWidth) return; // on a phone the map may stand behind another tab
    const box = svg.viewBox.baseVal;
    scale = Math.max(box.width / svg.clientWidth, box.height / svg.clientHeight);
    svg.style.setProperty('--k', scale);
    for (const car of cars) car.x = -1e4;
    if (!running) requestAnimationFrame(draw);
  }).observe(svg);

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
  for (const car of cars) visible(car, false);
  return { move, mark };
})();
