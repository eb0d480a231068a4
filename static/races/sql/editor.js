// The editor: prism-code-editor over a textarea, with SQL's colours, the lab's words and a mark for an error's place.
import { createEditor } from './editor/index.js';
import './editor/prism/languages/sql.js';
import './editor/languages/sql.js';
import { defaultCommands, editHistory } from './editor/extensions/commands/index.js';
import { matchBrackets } from './editor/extensions/matchBrackets/index.js';
import { cursorPosition } from './editor/extensions/cursor/index.js';
import { autoComplete, fuzzyFilter, registerCompletions } from './editor/extensions/autocomplete/index.js';

const KEYWORDS = `SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT JOIN LEFT ON AS AND OR NOT NULL IS IN BETWEEN CASE WHEN THEN ELSE END
COUNT SUM AVG MIN MAX ROUND CAST OVER PARTITION ROW_NUMBER TUMBLE HOP SESSION CUMULATE DESCRIPTOR INTERVAL SECOND MINUTE TABLE
MATCH_RECOGNIZE MEASURES PATTERN DEFINE FIRST LAST SYSTEM_TIME CURRENT_WATERMARK TIMESTAMPDIFF CREATE VIEW INSERT INTO DROP
DESCRIBE SHOW TABLES EXPLAIN VALUES UNION ALL DISTINCT TEMPORARY INT BIGINT DOUBLE STRING TIMESTAMP PRIMARY KEY ENFORCED`.split(/\s+/);

export function makeEditor(container, text, words, { run, explain, changed }) {
  const named = words.map((word) => ({ label: word.replaceAll('`', ''), insert: word }));
  const quoted = words.map((word) => ({ label: `\`${word.replaceAll('`', '')}\`` }));
  const plain = [...named, ...KEYWORDS.map((label) => ({ label }))];
  const complete = ({ before, explicit, pos }) => {
    const typed = /`?[\w$-]*$/.exec(before)[0];
    if (typed.length > 1 || explicit) return { from: pos - typed.length, options: typed[0] === '`' ? quoted : plain };
  };
  registerCompletions(['sql'], { sources: [complete] });
  container.replaceChildren();
  const editor = createEditor(container, { language: 'sql', value: text, wordWrap: true, lineNumbers: true },
    editHistory(), matchBrackets(), cursorPosition(), defaultCommands(), autoComplete({ filter: fuzzyFilter }));
  const area = editor.textarea;
  area.id = 'sql-text';
  area.setAttribute('aria-label', 'Flink SQL. Escape leaves the editor.');
  const overlay = document.createElement('div');
  overlay.className = 'error-mark';
  overlay.setAttribute('aria-hidden', 'true');
  editor.lines[0].append(overlay);

  const mark = (place) => {
    overlay.replaceChildren();
    if (!place) return;
    const value = editor.value;
    const [from, until] = [Math.max(0, place[0]), Math.min(value.length, Math.max(place[1], place[0] + 1))];
    const marked = document.createElement('mark');
    marked.textContent = value.slice(from, until) || ' ';
    overlay.append(value.slice(0, from), marked);
    marked.scrollIntoView({ block: 'nearest' });
  };
  editor.on('update', (value) => changed(value));
  // Ctrl+Enter runs, wherever the focus is; the editor must not take it for a new line
  area.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    (event.shiftKey ? explain : run)();
  }, true);

  const replace = (from, until, insert) => {
    area.focus();
    area.setSelectionRange(from, until);
    // the browser's own undo knows of it
    if (!document.execCommand('insertText', false, insert)) { area.setRangeText(insert, from, until, 'end'); editor.update(); }
  };
  return {
    mark,
    text: () => editor.value,
    selection: () => [area.selectionStart, area.selectionEnd],
    focus: () => area.focus(),
    insert: (word) => replace(area.selectionStart, area.selectionEnd, word),
    put: (value) => { replace(0, editor.value.length, value); area.setSelectionRange(0, 0); area.scrollIntoView({ block: 'nearest' }); },
  };
}
