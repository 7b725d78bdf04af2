// @ts-check
/** The conversations that the browser knows: what the server told, page by page, and what is being changed meanwhile. */

/** @typedef {import("./types.js").EntryJson} EntryJson */
/** @typedef {import("./types.js").HistoryJson} HistoryJson */
/** @typedef {Partial<EntryJson>|null} Edit what changes in an entry; null: it leaves the list */

const TRIES = 3;

export class Entries {
  constructor() {
    /** @type {Map<string, EntryJson>} */
    this.held = new Map();
    /** Where the next page begins; null: there is none. @type {string|null} */
    this.next = null;
    /** Edits under way, oldest first. @type {{id: string, edit: Edit}[]} */
    this.edits = [];
    /** Goes up whenever an edit begins or ends. */
    this.changes = 0;
  }

  /** Know nothing, not even whether there is anything. */
  clear() {
    this.held.clear();
    this.next = null;
  }

  /**
   * A page as the server told it. What it covers and does not hold is gone; deeper pages stay.
   * @param {HistoryJson} page @param {string|null} [before] where it begins; null: the first page
   */
  take(page, before = null) {
    if (before === null && !this.joins(page)) this.clear();
    const fresh = this.held.size === 0;
    const ids = new Set(page.entries.map(({ id }) => id));
    for (const entry of this.held.values()) if (!ids.has(entry.id) && covers(page, before, entry)) this.held.delete(entry.id);
    for (const entry of page.entries) this.held.set(entry.id, entry);
    if (fresh || before !== null || page.next === null || (this.next !== null && page.next < this.next)) this.next = page.next;
  }

  /**
   * Whether a first page and what is held leave no gap between them. A pinned entry that is missing may stand anywhere
   * now, which only reading anew tells.
   * @param {HistoryJson} page
   */
  joins({ entries, next }) {
    if (next === null) return true;
    const pinned = new Set(entries.map(({ id }) => id));
    const held = [...this.held.values()];
    if (held.some((entry) => entry.pinned && !pinned.has(entry.id))) return false;
    return held.some((entry) => !entry.pinned && entry.at >= next);
  }

  /** All, as they stand when what is under way goes well: pinned ones first, then newest first. */
  list() {
    const shown = [...this.held.values()].map((entry) => this.edited(entry)).filter((entry) => entry !== null);
    return shown.sort((a, b) => Number(b.pinned) - Number(a.pinned) || compare(b.at, a.at) || compare(b.id, a.id));
  }

  /** @param {EntryJson} entry @returns {EntryJson|null} */
  edited(entry) {
    return this.edits.reduce((now, { id, edit }) => {
      if (id !== entry.id || now === null) return now;
      return edit === null ? null : { ...now, ...edit };
    }, /** @type {EntryJson|null} */ (entry));
  }

  /**
   * Show an edit at once, and hold it when the server has done it; else all is as before.
   * @param {string} id @param {Edit} edit @param {Promise<unknown>} doing
   */
  async edit(id, edit, doing) {
    const under = { id, edit };
    this.edits.push(under);
    this.changes += 1;
    try {
      await doing;
      const entry = this.held.get(id);
      if (edit === null) this.held.delete(id);
      else if (entry) this.held.set(id, { ...entry, ...edit });
    } finally {
      this.edits.splice(this.edits.indexOf(under), 1);
      this.changes += 1;
    }
  }

  /** One that came back. @param {EntryJson} entry */
  put(entry) {
    this.held.set(entry.id, entry);
    this.changes += 1;
  }

  /** One that is not there any more. @param {string} id */
  drop(id) {
    this.held.delete(id);
    this.changes += 1;
  }

  /**
   * Ask for a page, and again where what came may be older than an edit; null when edits go on and on.
   * @param {() => Promise<HistoryJson>} ask
   */
  async asked(ask) {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const { changes, edits: { length } } = this;
      const page = await ask();
      if (length === 0 && changes === this.changes) return page;
    }
    return null;
  }
}

/** Pinned ones stand on the first page alone. @param {HistoryJson} page @param {string|null} before @param {EntryJson} entry */
function covers(page, before, entry) {
  if (entry.pinned) return before === null;
  return (before === null || entry.at < before) && (page.next === null || entry.at >= page.next);
}

/** @param {string} a @param {string} b */
function compare(a, b) {
  return Number(a > b) - Number(a < b);
}
