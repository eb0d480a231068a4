// A button beside each block of code that copies it. Without a secure address browsers give no clipboard, so no button.
import './document.js';

for (const block of navigator.clipboard ? document.querySelectorAll('.guide article pre') : []) {
  const button = Object.assign(document.createElement('button'), { type: 'button', className: 'copy', textContent: 'Copy' });
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(block.textContent.trimEnd());
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
  const around = Object.assign(document.createElement('div'), { className: 'block' });
  block.before(around);
  around.append(block, button);
}
