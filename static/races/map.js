// Cars on the track map: glides each dot along the outline between two ticks, never across it.
// One Web Animation a car and tick, with a keyframe at every point of the outline it passes: the browser runs them
// without this page's thread, so the field stays smooth while the tower is being updated.
const svg = document.getElementById('map');
export const { move, mark, beat } = svg ? trackMap() : { move() {}, mark() {}, beat() {} };

function trackMap() {
  const points = (id) => Array.from(document.getElementById(id).points, (p) => [p.x, p.y]);
  const outline = points('outline');
  const pit = points('pitlane');
  const entry = Number(svg.dataset.entry);
  const exit = Number(svg.dataset.exit);
  const pitSpan = (exit - entry + 1) % 1;
  const middle = [0, 1].map((axis) => outline.reduce((sum, p) => sum + p[axis], 0) / outline.length);
  const HOLD_MS = 20; // a little over a tick, so that a message a few ms late doesn't make the field stutter
  const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');
  const dot = (code) => document.querySelector(`.dot[data-c="${code}"]`);
  const cars = svg.dataset.cars.split(' ').map((code) => ({ code, el: dot(code), from: 0, to: 0, state: null, placed: false, named: false, sides: [], own: code === document.body.dataset.own }));
  const lapLength = outline.reduce((sum, [x, y], k) => sum + Math.hypot(x - outline.at(k - 1)[0], y - outline.at(k - 1)[1]), 0);
  const type = document.body.classList.contains('big') ? 1.5 : 1; // labels are that much larger on a big screen
  const wide = svg.viewBox.baseVal.width;
  const names = Array.from(svg.querySelectorAll('.sname'), (name) => ({ x: Number(name.getAttribute('x')), y: Number(name.getAttribute('y')) }));
  let scale = 1; // CSS pixels to a user unit
  let every = 200; // ms from one tick to the next, as the page shows them
  let gliding = every + HOLD_MS; // how long the glide under way takes
  let started = 0;
  let last = '';

  function along(line, share, closed) {
    const spans = closed ? line.length : line.length - 1;
    const at = Math.min(Math.max(share, 0), 1) * spans;
    const k = Math.min(Math.floor(at), spans - 1);
    const [ax, ay] = line[k];
    const [bx, by] = line[(k + 1) % line.length];
    return [ax + (bx - ax) * (at - k), ay + (by - ay) * (at - k), bx - ax, by - ay];
  }

  function point(car, at) {
    const share = ((at % 1) + 1) % 1;
    const inLane = (share - entry + 1) % 1;
    if (car.state === 'p' && pit.length > 1 && inLane <= pitSpan) return along(pit, inLane / pitSpan, false);
    return along(outline, share, true);
  }

  const css = ([x, y]) => `translate(${(x * scale).toFixed(1)}px, ${(y * scale).toFixed(1)}px)`;
  const now = (car) => car.from + (car.to - car.from) * Math.min((performance.now() - started) / gliding, 1);

  function glide(car) {
    const way = car.to - car.from;
    const end = point(car, car.to);
    [car.x, car.y] = end;
    [car.wasX, car.wasY] = point(car, car.from);
    sides(car, end[2], end[3]);
    const still = Math.abs(way) < 1e-5 || document.hidden || reducedMotion.matches;
    // a keyframe every few pixels keeps to the track without more work than the eye can see
    const steps = still ? 0 : Math.max(1, Math.min(24, Math.ceil(Math.abs(way) * lapLength * scale / 7)));
    const frames = Array.from({ length: steps + 1 }, (_, k) => css(point(car, steps ? car.from + way * k / steps : car.to)));
    car.motion ??= new Animation(new KeyframeEffect(car.el, null, { fill: 'both' }));
    car.motion.effect.updateTiming({ duration: gliding });
    car.motion.effect.setKeyframes({ transform: frames.length > 1 ? frames : [frames[0], frames[0]] });
    car.motion.currentTime = 0;
    car.motion.play();
  }

  // The label stands beside the track, on the outside of the bend; where that is taken, on another side.
  function sides(car, dx, dy) {
    const length = Math.hypot(dx, dy) || 1;
    const outward = dy * (car.x - middle[0]) - dx * (car.y - middle[1]) < 0 ? -1 : 1;
    const [nx, ny] = [outward * dy / length, -outward * dx / length];
    const across = nx > 0 ? ['e', 'w'] : ['w', 'e'];
    const along = ny > 0 ? ['s', 'n'] : ['n', 's'];
    car.sides = Math.abs(nx) > 0.6 ? [across[0], along[0], along[1], across[1]] : [along[0], across[0], along[1], across[1]];
  }

  // Where the label would be at the end of the glide and (was) at its beginning, and what speaks against it there: a
  // dot (1, and more for more of them), another label or a sector's name (2), the picture's edge (3).
  const AWAY = { e: [25, 0], w: [-25, 0], n: [0, -16], s: [0, 16] };
  const radius = (car) => (car.own || car.followed ? 11 : 6) * type; // with its ring
  function room(car, name, kept) {
    const half = (car.lead ? 22 : 13.5) * type; // the leader's says so too
    const off = [AWAY[name][0] * type * (car.lead ? 1.3 : 1), AWAY[name][1] * type];
    const [x, y, wasX, wasY] = [car.x * scale + off[0], car.y * scale + off[1], car.wasX * scale + off[0], car.wasY * scale + off[1]];
    const near = (other, k, dx, dy) => (Math.abs(other.x * k - x) < dx && Math.abs(other.y * k - y) < dy)
      || (Math.abs((other.wasX ?? other.x) * k - wasX) < dx && Math.abs((other.wasY ?? other.y) * k - wasY) < dy);
    const edge = x < half || x > wide * scale - half;
    const taken = kept.some((other) => near(other, 1, half + other.half, 13 * type)) || names.some((other) => near(other, scale, half + 8 * type, 13 * type));
    const dots = cars.filter((other) => other !== car && other.placed && near(other, scale, half + radius(other), 6 * type + radius(other))).length;
    return { name, x, y, wasX, wasY, half, cost: edge ? 3 : taken ? 2 : dots && 1 + dots / 50 };
  }

  // From one tick to the next labels hold still. Own, followed and leading cars always have theirs: it changes its side
  // when another one has been better for HOLD ticks. Any other label is looked at once in LOOK ticks, and at most one of
  // them then comes, or goes because of a dot. What covers a label or a sector's name, or leaves the picture, waits for
  // nothing. After a jump nothing is held: every label is placed anew.
  const HOLD = 8;
  const LOOK = 6;
  const BAD = 2; // a cost that no label stays with
  const always = (car) => car.own || car.followed || car.lead;
  const cheapest = (places) => places.reduce((a, b) => (b.cost < a.cost ? b : a));
  let ticks = 0;
  function label(anew = false) {
    const shown = cars.filter((car) => car.placed);
    const kept = [];
    for (const car of shown.filter(always).sort((a, b) => Number(b.own) - Number(a.own) || Number(b.followed) - Number(a.followed))) kept.push(settle(car, kept, anew));
    ticks += 1;
    const look = anew || ticks % LOOK === 0;
    let changed = false;
    for (const car of shown.filter((each) => !always(each) && (each.named || look))) {
      const held = car.named && !anew;
      const place = held ? room(car, car.side, kept) : cheapest(car.sides.map((name) => room(car, name, kept)));
      const fits = place.cost === 0;
      if (look) car.free = fits ? (car.free ?? 0) + 1 : 0;
      if (anew || (held && place.cost >= BAD)) show(car, fits, place.name);
      else if (look && !changed && held !== fits && (held || car.free > 1)) {
        changed = true;
        show(car, fits, place.name);
      }
      if (car.named) kept.push(place);
    }
  }

  function show(car, named, side) {
    car.named = named;
    car.el.classList.toggle('mute', !named);
    if (named && side !== car.side) { car.side = side; car.el.dataset.side = side; }
  }

  function settle(car, kept, anew) {
    const places = car.sides.map((name) => room(car, name, kept));
    const best = cheapest(places);
    const now = anew || !car.named ? best : places.find((place) => place.name === car.side);
    car.better = best.cost < now.cost ? (car.better ?? 0) + 1 : 0;
    const chosen = car.better >= HOLD || (car.better && now.cost >= BAD) ? best : now;
    if (!car.named || chosen.name !== car.side) { show(car, true, chosen.name); car.better = 0; }
    return chosen;
  }

  // text: one entry a car, its share of the lap in ten-thousandths and a letter for its state
  function move(text, jump) {
    last = text;
    const entries = text.split(' ');
    const targets = cars.map((car) => (car.placed ? now(car) : 0));
    started = performance.now();
    gliding = every + HOLD_MS;
    cars.forEach((car, index) => aim(car, entries[index], targets[index], jump));
    label(jump);
  }

  function aim(car, words, at, jump) {
    if (!words) { car.el.hidden = true; car.placed = car.named = false; return; }
    const share = parseInt(words, 10) / 10000;
    const state = words.match(/[a-z]?$/)[0];
    if (state !== car.state) {
      car.state = state;
      car.el.classList.toggle('gone', state === 'r');
      car.el.classList.toggle('pitting', state === 'p');
    }
    let ahead = (share - (at % 1) + 1) % 1;
    if (ahead > 0.9) ahead -= 1; // a hair behind where it already is, not a lap ahead
    const fresh = jump || !car.placed;
    car.from = fresh ? share : at;
    car.to = fresh ? share : at + ahead;
    if (!car.placed) { car.placed = true; car.el.hidden = false; car.el.classList.toggle('mute', !always(car)); }
    glide(car);
  }

  function mark(name, code) {
    for (const car of cars) {
      car[name] = car.code === code;
      car.el.classList.toggle(name, car[name]);
    }
    if (name === 'followed') tabStop(cars.find((car) => car.followed) ?? cars[0]);
    label();
  }

  new ResizeObserver(() => {
    if (!svg.clientWidth) return; // on a phone the map may stand behind another tab
    scale = svg.clientWidth / wide;
    svg.style.setProperty('--k', 1 / scale);
    if (last) move(last, true);
  }).observe(svg);

  // One tab stop for all cars. The arrow keys go from car to car and follow it: nothing else would say where they are.
  function tabStop(stop) {
    for (const car of cars) car.el.tabIndex = car === stop ? 0 : -1;
  }
  document.getElementById('dots-layer').addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const dots = cars.filter((car) => car.placed).map((car) => car.el);
    const at = dots.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = dots[(at + step + dots.length) % dots.length];
    next.focus();
    if (!next.matches('.followed')) next.click();
  });
  return { move, mark, beat: (ms) => { every = ms; } };
}
