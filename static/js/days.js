// @ts-check
/** Days as people name them, in the reader's own time zone. */
import { texts } from "./texts.js";

const DAY_MS = 86_400_000;
const WEEK_DAYS = 7;

const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "long" });
const dayAndMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long" });
const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });

/**
 * "Today", "Yesterday", a weekday within the last week, "12 November", or with another year's number.
 * @param {string} moment ISO 8601 @param {Date} [now]
 */
export function dayName(moment, now = new Date()) {
  const when = new Date(moment);
  const ago = dayNumber(now) - dayNumber(when);
  if (ago <= 0) return texts.today; // a clock ahead of ours is not worth a heading
  if (ago === 1) return texts.yesterday;
  if (ago < WEEK_DAYS) return weekday.format(when);
  return (when.getFullYear() === now.getFullYear() ? dayAndMonth : date).format(when);
}

/** "1 December 2026". @param {string} moment ISO 8601 */
export function fullDate(moment) {
  return date.format(new Date(moment));
}

/** Counts calendar days, which need not have 24 hours. @param {Date} when */
function dayNumber(when) {
  return Math.round(Date.UTC(when.getFullYear(), when.getMonth(), when.getDate()) / DAY_MS);
}
