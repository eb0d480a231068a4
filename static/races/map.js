// Cars on the track map: glides each dot along the outline between two ticks, never across it.
// One Web Animation a car and tick, with a keyframe at every point of the outline it passes: the browser runs them
// without this page's thread, so the field stays smooth while the tower is being updated.
const svg = document.getElementById('map');
const nothing = () => {};
export const { move, mark, beat, ring, place, share } = svg ? trackMap() : { move: nothing, mark: nothing, beat: nothing, ring: nothing, place: nothing, share: nothing };

function trackMap() {
  const points = (id) => Array.from(document.getElementById(id).points, (p) => [p.x, p.y]);
  // The ring has the lap as a circle: the line at its top, the pit lane inside it.
  const [centre, radius] = [[svg.viewBox.baseVal.width / 2, svg.viewBox.baseVal.height / 2], Number(svg.querySelector('circle.ring').getAttribute('r'))];
  const circle = (from, to, r) => Array.from({ length: 181 }, (_, k) => {
    const turn = 2 * Math.PI * (from + (to - from) * k / 180);
    return [centre[0] + r * Math.sin(turn), centre[1] - r * Math.cos(turn)];
  });
  const views = { track: [points('outline'), points('pitlane')] };
  let [outline, pit] = views.track;
  const entry = Number(svg.dataset.entry);
  const exit = Number(svg.dataset.exit);
  const pitSpan = (exit - entry + 1) % 1;
  views.ring = [circle(0, 1, radius).slice(0, -1), circle(entry, entry + pitSpan, radius - 34)];
  const middleOf = (line) => [0, 1].map((axis) => line.reduce((sum, p) => sum + p[axis], 0) / line.length);
  const lengthOf = (line) => line.reduce((sum, [x, y], k) => sum + Math.hypot(x - line.at(k - 1)[0], y - line.at(k - 1)[1]), 0);
  let [middle, lapLength] = [middleOf(outline), lengthOf(outline)];
  const HOLD_MS = 20; // a little over a tick, so that a message a few ms late doesn't make the field stutter
  const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');
  const dot = (code) => document.querySelector(`.dot[data-c="${code}"]`);
  const cars = svg.dataset.cars.split(' ').map((code) => ({ code, el: dot(code), from: 0, to: 0, state: null, placed: false, named: false, sides: [], own: code === document.body.dataset.own, safety: code === 'SC' }));
  const drivers = cars.filter((car) => !car.safety);
  const type = document.body.classList.contains('big') ? 1.5 : 1; // labels are that much larger on a big screen
  const wide = svg.viewBox.baseVal.width;
  const trackNames = Array.from(svg.querySelectorAll('.sname'), (name) => ({ x: Number(name.getAttribute('x')), y: Number(name.getAttribute('y')) }));
  let names = trackNames;
  let scale = svg.clientWidth / wide || 1; // CSS pixels to a user unit
  const fit = () => svg.style.setProperty('--k', 1 / scale);
  fit();
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

  const PARTS = Array.from({ length: 9 }, (_, k) => k / 8); // of a glide, which goes round corners

  function glide(car) {
    const way = car.to - car.from;
    const end = point(car, car.to);
    [car.x, car.y] = end;
    [car.wasX, car.wasY] = point(car, car.from);
    car.path = PARTS.map((part) => point(car, car.from + way * part));
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
  // dot (1, and more for more of them), another label (2), the picture's edge (3), a sector's name: 2 for a label that
  // may go, less for one that always shows.
  const EDGE = 8; // the panel has room beside the picture
  const AWAY = { e: [25, 0], w: [-25, 0], n: [0, -16], s: [0, 16] };
  const reach = (car) => (car.safety ? 13 : car.own || car.followed ? 11 : 6) * type; // with its ring
  function room(car, name, kept, spare = 0) {
    const half = (car.lead || car.state === 'f' ? 23 : 14.5) * type; // these say their place too
    const off = [AWAY[name][0] * type * (car.lead ? 1.3 : 1), AWAY[name][1] * type];
    const [x, y, wasX, wasY] = [car.x * scale + off[0], car.y * scale + off[1], car.wasX * scale + off[0], car.wasY * scale + off[1]];
    const near = (other, k, dx, dy) => (Math.abs(other.x * k - x) < dx && Math.abs(other.y * k - y) < dy)
      || (Math.abs((other.wasX ?? other.x) * k - wasX) < dx && Math.abs((other.wasY ?? other.y) * k - wasY) < dy);
    const place = { name, half, at: placesOf(car, off) };
    const edge = x < half - EDGE || x > wide * scale - half + EDGE;
    const taken = kept.some((other) => meet(place, other));
    const named = names.some((other) => near(other, scale, half + 8 * type, 13 * type));
    const dots = cars.filter((other) => other !== car && other.placed && near(other, scale, half + reach(other) + spare, 6 * type + reach(other) + spare)).length;
    place.cost = edge ? 3 : taken || (named && !always(car)) ? 2 : named ? 1.6 : dots && 1 + dots / 50;
    return place;
  }
  const placesOf = (car, [dx, dy]) => car.path.map(([x, y]) => [x * scale + dx, y * scale + dy]);
  // Two labels on one another at any time of the glide.
  const meet = (a, b) => a.at.some(([x, y], k) => b.at[k] && Math.abs(x - b.at[k][0]) < a.half + b.half && Math.abs(y - b.at[k][1]) < 14 * type);

  // From one tick to the next labels hold still. Own, followed and leading cars have theirs, placed together so that none
  // lies on another or on the safety car: a side is left for that and for the picture's edge only, and not again within
  // a second. Where cars fight in a bend and no side is left, the label that matters least goes for as long. Any other
  // label is looked at once in LOOK ticks, and at most one of them then comes, or goes because of a dot. What covers a
  // label or a sector's name, or leaves the picture, waits for nothing. After a jump every label is placed anew. A car
  // that comes into the spotlight gets a label at once, if there is room, and from then on it is any other one.
  const LOOK = 20;
  const HOLD = 5; // ticks
  const SPARE = 6; // px that a new label has around it: the cars go on
  const BAD = 2; // a cost that no label stays with
  const CHANGE = 1.7; // more than any cost that a label stays with
  const MEETING = 10; // for each label or safety car that one lies on
  const always = (car) => car.own || car.followed || car.lead;
  const cheapest = (places) => places.reduce((a, b) => (b.cost < a.cost ? b : a));
  let ticks = 0;
  function label(anew = false) {
    const shown = drivers.filter((car) => car.placed);
    const kept = settle(shown.filter(always), anew);
    const look = anew || ticks % LOOK === 0;
    let changed = false;
    for (const car of shown.filter((each) => !always(each) && (each.named || look))) {
      const held = car.named && !anew;
      const place = held ? room(car, car.side, kept) : cheapest(car.sides.map((name) => room(car, name, kept, SPARE)));
      const fits = place.cost === 0;
      if (look) car.free = fits ? (car.free ?? 0) + 1 : 0;
      if (anew || (held && place.cost >= BAD)) show(car, fits, place.name);
      else if (look && !changed && held !== fits && (held || car.free > 2)) {
        changed = true;
        show(car, fits, place.name);
      }
      if (car.named) kept.push(place);
    }
  }

  function show(car, named, side) {
    if (!named) car.free = 0; // it comes back when a side has been free for a while, not in the next tick
    car.named = named;
    car.changed = ticks;
    car.el.classList.toggle('mute', !named);
    if (named && side !== car.side) { car.side = side; car.el.dataset.side = side; }
  }

  function pointAt(car) {
    if (car.named || !car.placed) return;
    const others = drivers.filter((other) => other.placed && other.named).map((other) => room(other, other.side, []));
    const place = cheapest(car.sides.map((name) => room(car, name, others, SPARE)));
    if (!place.cost) show(car, true, place.name);
  }

  // Every car's sides and no label at all, all combinations compared: three cars at most.
  function settle(few, anew) {
    const gone = (car) => ({ name: '', at: [], half: 0, cost: car.own ? 8 : car.followed ? 6 : 5 });
    const places = few.map((car) => [...car.sides.map((name) => room(car, name, [])), gone(car)]);
    const price = (car, { name, cost }) => {
      if (anew || car.changed === undefined || name === (car.named ? car.side : '')) return cost;
      return name && ticks - car.changed < HOLD ? Infinity : cost + CHANGE;
    };
    const safety = cars.filter((car) => car.safety && car.placed).map((car) => ({ half: 13 * type, at: placesOf(car, [0, 0]) }));
    let [best, least] = [[], Infinity];
    function choose(picked, sum) {
      if (sum >= least) return;
      if (picked.length === few.length) { [best, least] = [picked, sum]; return; }
      for (const place of places[picked.length]) {
        const met = [...safety, ...picked].filter((other) => meet(place, other)).length;
        choose([...picked, place], sum + price(few[picked.length], place) + MEETING * met);
      }
    }
    choose([], 0);
    few.forEach((car, index) => {
      const { name } = best[index];
      if (name !== (car.named ? car.side : '')) show(car, Boolean(name), name || car.side);
    });
    return best.filter((place) => place.name);
  }

  // text: one entry a car, its share of the lap in ten-thousandths and a letter for its state
  function move(text, jump) {
    last = text;
    const entries = text.split(' ');
    const targets = cars.map((car) => (car.placed ? now(car) : 0));
    started = performance.now();
    gliding = every + HOLD_MS;
    ticks += 1;
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
      const { dataset } = car.el.lastElementChild;
      if (state === 'f') dataset.place = `P${1 + document.getElementById('order').textContent.split(' ').indexOf(car.code)} `;
      else delete dataset.place;
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
    for (const car of drivers) {
      const marked = [code].flat().includes(car.code);
      if (marked !== Boolean(car[name])) car.changed = undefined;
      car[name] = marked;
      car.el.classList.toggle(name, marked);
    }
    if (name === 'spot') for (const car of drivers) if (car.spot) pointAt(car);
    if (name !== 'followed') return; // a new leader comes with a tick, which places the labels
    tabStop(drivers.find((car) => car.followed) ?? drivers[0]);
    label();
  }

  new ResizeObserver(() => {
    // on a phone the map may stand behind another tab; and the first call, however late, brings no new width
    if (!svg.clientWidth || svg.clientWidth / wide === scale) return;
    scale = svg.clientWidth / wide;
    fit();
    if (last) move(last, true);
  }).observe(svg);

  // One tab stop for all cars. The arrow keys go from car to car and follow it: nothing else would say where they are.
  function tabStop(stop) {
    for (const car of drivers) car.el.tabIndex = car === stop ? 0 : -1;
  }
  document.getElementById('dots-layer').addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const dots = drivers.filter((car) => car.placed).map((car) => car.el);
    const at = dots.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = dots[(at + step + dots.length) % dots.length];
    next.focus();
    if (!next.matches('.followed')) next.click();
  });

  function ring(on) {
    [outline, pit] = on ? views.ring : views.track;
    [middle, lapLength] = on ? [centre, lengthOf(outline)] : [middleOf(outline), lengthOf(outline)];
    names = on ? [] : trackNames;
    svg.parentElement.classList.toggle('ringed', on);
    if (last) move(last, true);
  }

  // Where on the lap a car that stops now would come out, or nowhere: a hollow circle.
  const marker = svg.querySelector('.window');
  function place(at) {
    marker.toggleAttribute('hidden', !Number.isFinite(at));
    if (!Number.isFinite(at)) return;
    const [x, y] = along(outline, ((at % 1) + 1) % 1, true);
    marker.setAttribute('cx', x.toFixed(1));
    marker.setAttribute('cy', y.toFixed(1));
  }
  const share = (code) => cars.find((car) => car.code === code)?.to;
  return { move, mark, ring, place, share, beat: (ms) => { every = ms; } };
}
