// The page of the stream: asks for what changes once a second, unless it is paused or nobody looks.
const now = document.getElementById('now');
const asked = document.getElementById('asked');
const pause = document.getElementById('pause');
const EVERY_MS = 1000;
const HELD_MS = 1500; // after a press: the row under the finger stays, and what its button says
let paused = false;
let pressed = -HELD_MS;

function show(stopped) {
  paused = stopped;
  pause.setAttribute('aria-pressed', paused);
  pause.textContent = paused ? 'Resume' : 'Pause';
}

async function next() {
  const selecting = !getSelection().isCollapsed || now.contains(document.activeElement); // who copies or tabs there keeps the rows
  const held = performance.now() - pressed < HELD_MS;
  if (!paused && !document.hidden && !selecting && !held) {
    const query = new URLSearchParams(new FormData(asked));
    const answer = await fetch(`now/?${query}`).catch(() => null);
    if (answer?.ok && !paused && performance.now() - pressed >= HELD_MS) now.innerHTML = await answer.text();
  }
  setTimeout(next, EVERY_MS);
}

// The value of a record. Without a secure address browsers give no clipboard: then the text is selected and copied so.
async function copy(button) {
  const value = button.closest('tr').querySelector('.value span');
  const [selection, range] = [getSelection(), document.createRange()];
  range.selectNodeContents(value);
  let done = await navigator.clipboard?.writeText(value.textContent).then(() => true, () => false);
  if (!done) {
    selection.removeAllRanges();
    selection.addRange(range);
    done = document.execCommand('copy');
    if (done) selection.removeAllRanges();
  }
  button.textContent = done ? 'Copied' : 'Selected';
  button.title = done ? '' : 'Copy it with the keys of your browser';
}

pause.hidden = false;
document.body.classList.add('scripted');
now.addEventListener('pointerdown', () => { pressed = performance.now(); });
now.addEventListener('click', async ({ target, detail }) => {
  if (!target.matches('.copy')) return;
  pressed = performance.now();
  await copy(target);
  if (detail) target.blur(); // pressed by hand: the rows go on; a key keeps them still
});
pause.addEventListener('click', () => show(!paused));
document.addEventListener('keydown', (event) => {
  if (event.key === ' ' && event.target === document.body) { event.preventDefault(); show(!paused); }
});
setTimeout(next, EVERY_MS);
