// One statement on the page: state, live table, changelog, plan. It draws once a frame, and only what is in sight.
import { Changelog, isNumber, shown } from './changelog.js';

const ROWS = 100; // in the document
const LONG = 60; // signs of a cell that is cut
const QUIET_S = 4;
const WINDOWS = 'No rows yet. A window speaks when the watermark has passed its end, and a partition without records holds the watermark back for ten seconds. Does a race run?';
const WORDS = { planning: 'planning', running: 'running', finished: 'finished', stopped: 'stopped', failed: 'failed' };
const element = (name, text = '', kind = '') => {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
};

export class Card {
  constructor(template, actions) {
    this.root = template.content.firstElementChild.cloneNode(true);
    this.changelog = new Changelog();
    this.log = [];
    this.seen = 0;
    this.count = 0;
    this.columns = [];
    this.reply = { changes: [] };
    this.part = (selector) => this.root.querySelector(selector);
    this.part('.stop').addEventListener('click', () => actions.stop(this.id));
    this.part('.close-card').addEventListener('click', () => actions.forget(this.id));
    this.part('.tabs').addEventListener('click', (event) => event.target.dataset.tab && this.show(event.target.dataset.tab));
    this.part('.tabs').addEventListener('keydown', (event) => this.move(event));
    this.root.addEventListener('scroll', () => { this.dirty = true; requestAnimationFrame(() => this.draw()); }, true);
    this.part('.what').addEventListener('click', () => actions.recall(this.sql));
  }

  get active() { return this.state === 'planning' || this.state === 'running'; }

  update(reply) {
    Object.assign(this, { id: reply.id, sql: reply.sql, kind: reply.kind, state: reply.state, reply });
    if (reply.columns.length && !this.columns.length) this.head(reply.columns);
    if (reply.first > this.seen) this.lost = reply.first - this.seen;
    for (const [kind, ...fields] of reply.changes) {
      this.changelog.apply(kind, fields);
      this.log.push({ id: this.count++, kind, fields });
    }
    if (this.log.length > ROWS) this.log.splice(0, this.log.length - ROWS);
    this.seen = reply.first + reply.changes.length;
    if (reply.tree && !this.planned) this.plan(reply.tree);
    this.dirty = true;
  }

  head(columns) {
    this.columns = columns;
    const row = (first) => {
      const made = element('tr');
      if (first) made.append(element('th', first));
      for (const [name, type] of columns) {
        const cell = element('th', name, isNumber(type) ? 'number' : '');
        cell.scope = 'col';
        cell.title = type;
        made.append(cell);
      }
      return made;
    };
    this.part('[data-pane=table] thead').replaceChildren(row(''));
    this.part('[data-pane=log] thead').replaceChildren(row('op'));
  }

  draw() {
    this.facts();
    if (!this.dirty) return;
    this.dirty = false;
    this.root.dataset.state = this.state;
    this.root.classList.toggle('bare', !this.log.length && (this.kind === 'insert' || !this.active));
    this.part('.state').textContent = WORDS[this.state] || this.state;
    this.part('.what').textContent = this.sql.replace(/\s+/g, ' ').slice(0, 300);
    this.part('.stop').hidden = !this.active;
    const why = this.part('.why');
    why.hidden = !this.reply.words;
    why.textContent = this.reply.words;
    if (!this.part('[data-pane=table]').hidden) this.table();
    if (!this.part('[data-pane=log]').hidden) this.changes();
  }

  facts() {
    const { reply } = this;
    if (reply.kind === 'words') {
      this.part('.facts').textContent = this.active ? '' : `${reply.seconds} s`;
      return;
    }
    const parts = [`${reply.total.toLocaleString('en-GB')} change${reply.total === 1 ? '' : 's'}`];
    if (this.changelog.updating) parts.push(`${this.changelog.rows.length} rows`);
    if (reply.first_row_s) parts.push(`first row after ${reply.first_row_s} s`);
    parts.push(`${reply.seconds.toFixed(0)} s`);
    if (this.lost) parts.push(`${this.lost} earlier changes are no longer kept`);
    if (reply.kind === 'insert' && this.active) parts.splice(0, 1, 'writes until you stop it');
    const quiet = this.state === 'running' && reply.kind === 'query' && !reply.total && reply.seconds > QUIET_S;
    const text = quiet ? `${parts.join(' · ')}. ${WINDOWS}` : parts.join(' · ');
    if (this.said !== text) this.part('.facts').textContent = this.said = text;
  }

  table() { this.fill(this.part('[data-pane=table]'), this.changelog.rows); }

  changes() { this.fill(this.part('[data-pane=log]'), [...this.log].reverse()); }

  // While it runs, only the rows in sight and a few below them are drawn: layout and paint of all take too long.
  near(pane) {
    if (!this.active) return ROWS;
    const height = pane.querySelector('tbody tr')?.offsetHeight || 24;
    return Math.min(ROWS, Math.ceil((pane.scrollTop + 1.5 * pane.clientHeight) / height));
  }

  // Rows of the document stay and get other words: making and laying out new ones costs ten times as much.
  fill(pane, all) {
    const body = pane.querySelector('tbody');
    const rows = all.slice(0, this.near(pane));
    while (body.rows.length > rows.length) body.deleteRow(-1);
    rows.forEach((row, place) => {
      const made = body.rows[place] || this.blank(body, row.kind);
      if (made.shows === row.id) return;
      made.shows = row.id;
      let cell = made.firstElementChild;
      if (row.kind) {
        cell.textContent = row.kind;
        cell.className = `op ${row.kind[0] === '+' ? 'plus' : 'minus'}`;
        cell = cell.nextElementSibling;
      }
      for (let at = 0; cell; at++, cell = cell.nextElementSibling) {
        const words = shown(row.fields[at], this.columns[at][1]);
        if (cell.firstChild.data !== words) cell.firstChild.data = words;
        cell.classList.toggle('null', row.fields[at] === null);
        cell.classList.toggle('long', words.length > LONG);
      }
    });
  }

  blank(body, kind) {
    const made = body.insertRow();
    if (kind) made.insertCell();
    for (const [, type] of this.columns) {
      const cell = made.insertCell();
      cell.append(document.createTextNode(''));
      if (isNumber(type)) cell.className = 'number';
    }
    return made;
  }

  plan(trees) {
    this.planned = true;
    const branch = (node) => {
      const item = element('li');
      const head = element('div', '', 'operator');
      head.append(element('b', node.name), ' ', element('span', node.detail));
      item.append(head);
      if (node.inputs.length) {
        const list = element('ul');
        list.append(...node.inputs.map(branch));
        item.append(list);
      }
      return item;
    };
    const list = element('ul', '', 'plan');
    list.append(...trees.map(branch));
    this.part('[data-pane=plan]').replaceChildren(list);
    this.part('[data-tab=plan]').hidden = false;
    this.part('[data-tab=table]').textContent = 'Text';
    this.part('[data-tab=log]').hidden = true;
    this.show('plan');
  }

  show(name) {
    for (const tab of this.root.querySelectorAll('[role=tab]')) {
      tab.setAttribute('aria-selected', tab.dataset.tab === name);
      tab.tabIndex = tab.dataset.tab === name ? 0 : -1;
    }
    for (const pane of this.root.querySelectorAll('.pane')) pane.hidden = pane.dataset.pane !== name;
    this.dirty = true;
  }

  move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tabs = [...this.root.querySelectorAll('[role=tab]:not([hidden])')];
    const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
    this.show(next.dataset.tab);
    next.focus();
  }
}
