// @ts-check
/** The sidebar's conversations: search, list and menu. Gradio sends the first page; all else is asked of our routes. */
import { Actions } from "./actions.js";
import { archiveAddress, listed, wordsOf } from "./conversations.js";
import { el, rootOf, show } from "./dom.js";
import { download } from "./download.js";
import { Entries } from "./entries.js";
import { EntryList } from "./entrylist.js";
import { icon } from "./icon.js";
import { Importing } from "./importing.js";
import { Menu } from "./menu.js";
import { Poller } from "./polling.js";
import { attachShortcut, Search } from "./search.js";
import { ShareDialog } from "./sharing.js";
import { closeOnPhone, openSidebar } from "./sidebar.js";
import { stage } from "./stage.js";
import { StatusLine } from "./statusline.js";
import { texts } from "./texts.js";

/**
 * Mount the sidebar's part; its value is a HistoryJson.
 * @param {HTMLElement} element @param {import("./types.js").Props} props
 * @param {import("./types.js").Watch} watch @param {import("./types.js").Trigger} trigger
 */
export function mount(element, props, watch, trigger) {
  const conversations = new Conversations(trigger);
  rootOf(element).replaceChildren(conversations.element);
  const draw = () => { if (props.value) conversations.update(props.value); };
  watch("value", draw);
  draw();
  conversations.begin();
}

class Conversations {
  /** @param {import("./types.js").Trigger} trigger */
  constructor(trigger) {
    this.trigger = trigger;
    /** @type {string|null} */
    this.current = null;
    this.archived = false;
    /** @type {object|null} */
    this.loading = null;
    this.problem = "";
    this.entries = new Entries();
    this.line = new StatusLine();
    this.sharing = new ShareDialog();
    this.actions = new Actions(this.entries, this.line, {
      draw: () => this.draw(),
      focus: (id) => this.list.focus(id),
      open: (id) => this.open(id, null),
      gone: (id) => this.gone(id),
      empty: () => this.current === null,
      archived: () => this.archived,
    });
    this.list = new EntryList(this.doings(), () => this.more());
    this.search = new Search((hit) => this.open(hit.conversation, hit.turn), (searching) => this.showFound(searching));
    this.importing = new Importing(this.line, (id) => this.imported(id));
    this.menu = new Menu(texts.manage, []);
    this.menu.onOpen = () => this.menu.setItems(this.items());
    this.back = el("button", { type: "button", class: "moa-button moa-back", onclick: () => this.view(false) },
      icon("back"), texts.backToHistory);
    this.head = el("header", { class: "moa-archived", hidden: true }, this.back, el("h2", { text: texts.archived }));
    this.element = el("div", { class: "moa-conversations" },
      el("div", { class: "moa-tools" }, this.search.field, this.menu.element, this.importing.input),
      this.head, this.list.element, this.search.list.element, this.line.element);
    show(this.search.list.element, false);
  }

  /** @returns {import("./entry.js").Doings} */
  doings() {
    const { actions } = this;
    return {
      open: (id) => this.open(id, null),
      share: (entry) => this.sharing.open(entry),
      rename: (entry, title) => void actions.rename(entry, title),
      pin: (entry) => void actions.pin(entry),
      archive: (entry) => void actions.archive(entry),
      remove: (entry) => void actions.remove(entry),
    };
  }

  /** @returns {import("./menu.js").MenuItem[]} */
  items() {
    return [
      this.archived
        ? { text: texts.backToHistory, act: () => this.view(false) }
        : { text: texts.archived, act: () => this.view(true) },
      { text: texts.importFile, act: () => this.importing.choose() },
      { text: texts.downloadAll, act: () => download(archiveAddress()) },
    ];
  }

  /** Once it is on the page. */
  begin() {
    this.poller = new Poller(() => this.refresh(), () => this.element.isConnected);
    attachShortcut(this.element, async () => {
      await openSidebar();
      this.search.focus();
    });
  }

  /** What Gradio sends: the first page as it is now, and which conversation is shown. @param {import("./types.js").HistoryJson} value */
  update(value) {
    this.current = value.current;
    this.entries.changes += 1; // a page that was asked for before is older than this
    if (!this.archived) this.entries.take(value);
    this.draw();
  }

  draw() {
    const { current, archived, loading, problem, entries } = this;
    const more = entries.next !== null;
    this.list.update({ entries: entries.list(), current, archived, more, loading: loading !== null, problem });
  }

  /** Read the first page anew. Rejects when that fails. */
  async refresh() {
    const { archived } = this;
    const page = await this.entries.asked(() => listed({ archived }));
    if (page === null || archived !== this.archived) return;
    this.entries.take(page);
    this.problem = "";
    this.draw();
  }

  /** The next page, or the first where nothing is known yet. */
  more() {
    const { archived, entries: { next } } = this;
    return this.load(async () => {
      const page = await this.entries.asked(() => listed({ before: next, archived }));
      if (page !== null && archived === this.archived && next === this.entries.next) this.entries.take(page, next);
    });
  }

  /** @param {() => Promise<void>} what one at a time @param {boolean} [instead] in the place of what is under way */
  async load(what, instead = false) {
    if (this.loading && !instead) return;
    const loading = this.loading = {};
    this.problem = "";
    this.draw();
    const problem = await what().then(() => "", wordsOf);
    if (this.loading !== loading) return;
    this.loading = null;
    this.problem = problem;
    this.draw();
  }

  /** Show the archived conversations, or the others again. @param {boolean} archived */
  async view(archived) {
    this.archived = archived;
    this.entries.clear();
    this.search.clear();
    show(this.head, archived);
    (archived ? this.back : this.menu.button).focus();
    await this.load(() => this.refresh(), true);
  }

  /** @param {string} id @param {string|null} turn */
  open(id, turn) {
    this.trigger("open", { id, turn });
    if (turn !== null && id === this.current) stage.show(turn); // the same place again would be no news to the page
    closeOnPhone();
  }

  /** @param {string} id */
  gone(id) {
    if (id !== this.current) return false;
    this.current = null;
    this.trigger("gone", {});
    return true;
  }

  /** @param {boolean} searching */
  showFound(searching) {
    show(this.search.list.element, searching);
    show(this.list.element, !searching);
    show(this.head, this.archived && !searching);
  }

  /** @param {string|null} id the one conversation that came */
  async imported(id) {
    this.search.clear();
    if (this.archived) await this.view(false);
    else await this.load(() => this.refresh(), true);
    if (id !== null) this.open(id, null);
  }
}
