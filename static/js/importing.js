// @ts-check
/** Taking conversations in from a file: an export of ours, or ChatGPT's `conversations.json`. */
import { imported, wordsOf } from "./conversations.js";
import { el } from "./dom.js";
import { texts } from "./texts.js";

export class Importing {
  /**
   * @param {import("./statusline.js").StatusLine} line tells how it goes
   * @param {(conversation: string|null) => void} done told of the one conversation that came, or of several by null
   */
  constructor(line, done) {
    this.line = line;
    this.done = done;
    this.input = el("input", {
      type: "file", accept: ".json,application/json", "aria-label": texts.importName, hidden: true,
      onchange: () => this.chosen(),
    });
  }

  /** Let the reader choose a file. */
  choose() {
    this.input.click();
  }

  async chosen() {
    const [file] = this.input.files ?? [];
    if (!file || this.input.disabled) return;
    this.input.disabled = true;
    this.line.busy(texts.importing(file.name));
    try {
      const told = await imported(file);
      this.line.say(texts.imported(told.imported, told.skipped));
      this.done(told.imported === 1 ? told.conversation : null);
    } catch (error) {
      this.line.say(wordsOf(error));
    }
    this.input.disabled = false;
    this.input.value = ""; // the same file can be chosen again
  }
}
