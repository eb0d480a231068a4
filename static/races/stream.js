// The page of the stream: asks for what changes once a second, unless it is paused or nobody looks.
const now = document.getElementById('now');
const asked = document.getElementById('asked');
const pause = document.getElementById('pause');
const EVERY_MS = 1000;
let paused = false;

function show(stopped) {
  paused = stopped;
  pause.setAttribute('aria-pressed', paused);
  pause.textContent = paused ? 'Go on' : 'Pause';
}

async function next() {
  const selecting = !getSelection().isCollapsed || now.contains(document.activeElement); // who copies or tabs there keeps the rows
  if (!paused && !document.hidden && !selecting) {
    const query = new URLSearchParams(new FormData(asked));
    const answer = await fetch(`now/?${query}`).catch(() => null);
    if (answer?.ok && !paused) now.innerHTML = await answer.text();
  }
  setTimeout(next, EVERY_MS);
}

pause.hidden = false;
pause.addEventListener('click', () => show(!paused));
document.addEventListener('keydown', (event) => {
  if (event.key === ' ' && event.target === document.body) { event.preventDefault(); show(!paused); }
});
setTimeout(next, EVERY_MS);
