// @ts-check
/** What is done to a conversation of the list: shown at once, taken back with a word when the server does not do it. */
import * as server from "./conversations.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").EntryJson} EntryJson */
/** @typedef {import("./entries.js").Edit} Edit */

/**
 * @typedef {object} Page what the actions know of the page
 * @property {() => void} draw the list anew
 * @property {(id: string) => void} focus the line of a conversation
 * @property {(id: string) => void} open a conversation
 * @property {(id: string) => boolean} gone told of a deletion; true when that conversation was the one shown
 * @property {() => boolean} empty whether no conversation is shown
 * @property {() => boolean} archived whether the list is that of the archived ones
 */

export class Actions {
  /**
   * @param {import("./entries.js").Entries} entries
   * @param {import("./statusline.js").StatusLine} line
   * @param {Page} page
   */
  constructor(entries, line, page) {
    this.entries = entries;
    this.line = line;
    this.page = page;
    /** Deleted since the line last stood empty: what its Undo brings back. @type {Deleted[]} */
    this.deleted = [];
    line.onClear = () => { this.deleted = []; };
  }

  /** @param {EntryJson} entry @param {string} title */
  rename(entry, title) {
    return this.edit(entry, { title }, server.change(entry.id, { title }));
  }

  /** Pin, or unpin. @param {EntryJson} entry */
  pin(entry) {
    const pinned = !entry.pinned;
    return this.edit(entry, { pinned }, server.change(entry.id, { pinned }));
  }

  /** Into the archive, or out of it; away from the list either way. @param {EntryJson} entry */
  async archive(entry) {
    const archived = this.page.archived();
    if (!(await this.edit(entry, null, server.change(entry.id, { archived: !archived })))) return;
    const back = async () => {
      if (await this.done(server.change(entry.id, { archived }))) this.put([entry], archived);
    };
    this.say(texts.moved(!archived), { text: texts.undo, act: back });
  }

  /** Delete at once, and offer to undo it. @param {EntryJson} entry */
  async remove(entry) {
    const gone = new Deleted(entry, this.page.archived(), server.remove(entry.id));
    this.deleted.push(gone);
    this.offerUndo();
    const done = await this.edit(entry, null, gone.doing, (words) => {
      this.deleted = this.deleted.filter((one) => one !== gone);
      this.offerUndo(words);
    });
    if (done) gone.wasShown = this.page.gone(entry.id);
  }

  /** @param {string} [problem] */
  offerUndo(problem = "") {
    const count = this.deleted.length;
    const words = [problem, count > 0 ? texts.deleted(count) : ""].filter(Boolean).join(" ");
    this.line.say(words, count > 0 ? { text: texts.undo, act: () => this.undo() } : null);
    if (count > 0) this.line.action.focus({ preventScroll: true });
  }

  async undo() {
    const gone = this.deleted;
    this.deleted = [];
    const outcomes = await Promise.allSettled(gone.map((one) => one.restored()));
    const back = gone.filter((_, index) => outcomes[index]?.status === "fulfilled");
    const errors = outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason : null));
    const error = errors.find((one) => one !== null);
    if (error === undefined) this.say(texts.restored);
    else {
      this.deleted = gone.filter((_, index) => errors[index] !== null && !server.isGone(errors[index]));
      this.offerUndo(server.wordsOf(error));
    }
    const [first] = back;
    if (!first) return;
    this.put(back.map(({ entry }) => entry), first.archived);
    const shown = back.find(({ wasShown }) => wasShown);
    if (shown && this.page.empty()) this.page.open(shown.entry.id);
  }

  /** Into the list again, if it is still the one they were in. @param {EntryJson[]} entries @param {boolean} archived */
  put(entries, archived) {
    if (archived !== this.page.archived()) return;
    for (const entry of entries) this.entries.put(entry);
    this.page.draw();
    this.page.focus(/** @type {EntryJson} */ (entries[0]).id);
  }

  /** Tell something else: what was deleted before stays so. @param {string} words @param {import("./statusline.js").Offer|null} [offer] */
  say(words, offer = null) {
    this.deleted = [];
    this.line.say(words, offer);
  }

  /**
   * @param {EntryJson} entry @param {Edit} edit @param {Promise<unknown>} doing
   * @param {(words: string) => void} [failed] tells why it was not done
   * @returns {Promise<boolean>} whether it was done
   */
  async edit(entry, edit, doing, failed = (words) => this.say(words)) {
    const outcome = this.entries.edit(entry.id, edit, doing);
    this.page.draw();
    try {
      await outcome;
      return true;
    } catch (error) {
      if (server.isGone(error)) this.entries.drop(entry.id);
      failed(server.wordsOf(error));
      return false;
    } finally {
      this.page.draw();
    }
  }

  /** @param {Promise<unknown>} doing @returns {Promise<boolean>} whether it was done */
  async done(doing) {
    try {
      await doing;
      return true;
    } catch (error) {
      this.say(server.wordsOf(error));
      return false;
    }
  }
}

/** A deletion that can be undone. */
class Deleted {
  /** @param {EntryJson} entry @param {boolean} archived @param {Promise<null>} doing */
  constructor(entry, archived, doing) {
    this.entry = entry;
    this.archived = archived;
    this.doing = doing;
    this.wasShown = false;
  }

  /** Only what is deleted can be restored: an undo that comes early waits. */
  async restored() {
    await this.doing;
    await server.restore(this.entry.id);
  }
}
