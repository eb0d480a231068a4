// A changelog applied: what +I, -U, +U and -D make of a table. No document here, so that it can be tested alone.
const MOST = 2000; // rows that an append-only result keeps

export class Changelog {
  constructor() {
    this.rows = []; // {id, key, fields}: the table as it stands; append-only: the newest first
    this.updating = false;
    this.dropped = 0; // rows that an append-only result has let go
    this.next = 0;
    this.place = 0; // where the row was that an update has just taken away
  }

  apply(kind, fields) {
    const key = JSON.stringify(fields);
    if (kind !== '+I' && !this.updating) {
      this.updating = true;
      this.rows.reverse(); // from now on a row stays where it is
    }
    if (kind === '-U' || kind === '-D') {
      const at = this.find(key);
      if (at >= 0) this.rows.splice(at, 1);
      this.place = at >= 0 ? at : this.rows.length;
      return;
    }
    const row = { id: this.next++, key, fields };
    if (kind === '+U') this.rows.splice(this.upsertPlace(), 0, row);
    else if (this.updating) this.rows.push(row);
    else this.prepend(row);
    this.place = -1;
  }

  // An update without its -U comes from an upsert source: it goes to the end.
  upsertPlace() { return this.place >= 0 ? Math.min(this.place, this.rows.length) : this.rows.length; }

  prepend(row) {
    this.rows.unshift(row);
    if (this.rows.length > MOST) { this.rows.pop(); this.dropped++; }
  }

  find(key) {
    for (let i = 0; i < this.rows.length; i++) if (this.rows[i].key === key) return i;
    return -1;
  }
}

const BINARY = /BINARY/;
export function shown(value, type = '') {
  if (value === null || value === undefined) return 'NULL';
  if (BINARY.test(type) && typeof value === 'string') return decoded(value);
  if (typeof value === 'string') return /^TIMESTAMP/.test(type) ? value.replace('T', ' ').replace('Z', '') : value;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function decoded(base64) {
  try {
    const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch { return base64; }
}

export const isNumber = (type) => /INT|DOUBLE|FLOAT|DECIMAL/.test(type);
