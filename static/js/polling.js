// @ts-check
/** Asking again and again, while somebody looks. */

const EVERY_MS = 5_000;
/** However often it failed, the next try comes after this long. */
const MOST_MS = 60_000;

/** Asks while the document is visible, one request at a time, and more and more seldom while it fails. */
export class Poller {
  /**
   * @param {() => Promise<unknown>} ask rejects when it failed
   * @param {() => boolean} alive when false, it ends for good
   */
  constructor(ask, alive) {
    this.ask = ask;
    this.alive = alive;
    this.asking = false;
    this.wait_ms = EVERY_MS;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    this.seen = () => this.look();
    document.addEventListener("visibilitychange", this.seen);
    this.arm();
  }

  arm() {
    clearTimeout(this.timer);
    if (!document.hidden) this.timer = setTimeout(() => this.tick(), this.wait_ms);
  }

  /** The reader has come back, or has left. */
  look() {
    clearTimeout(this.timer);
    if (!document.hidden) void this.tick();
  }

  async tick() {
    if (!this.alive()) {
      document.removeEventListener("visibilitychange", this.seen);
      return;
    }
    if (this.asking) return;
    this.asking = true;
    try {
      await this.ask();
      this.wait_ms = EVERY_MS;
    } catch {
      // nothing to tell: the list stands as it was, and what the reader does next says what is wrong
      this.wait_ms = Math.min(this.wait_ms * 2, MOST_MS);
    }
    this.asking = false;
    this.arm();
  }
}
