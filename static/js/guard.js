// @ts-check
/**
 * Which Markdown is formatted at all. Model text is hostile: some short texts take a parser or a layout engine
 * seconds. Such a text is shown as it is, in plain letters.
 */

/** Longer texts are formatted up to here; the rest follows as plain text. Characters. */
export const FORMATTED_CHARS = 32_000;

const MARKERS_PER_LINE = 300;
const MARKERS = 6_000;
const TAGS = 600;
const LINES = 3_000;
const FENCES = 300;
const NESTED_DEEP = 13;
const INDENT_DEEP = 100;

const marker = /[*_~`[\]$<|!\\&@]/g;
const tag = /<[a-z/!?]/gi;
const fence = /^ {0,3}(```+|~~~+)/;
const nested = new RegExp(`^\\s*(?:(?:[>*+-]|\\d{1,9}[.)])\\s*){${NESTED_DEEP},}`);
const indented = new RegExp(`^\\s{${INDENT_DEEP},}(?:[>*+-]|\\d{1,9}[.)])\\s`);
const rule = /^[\s*_-]+$/;

/**
 * Whether a text would make the page stop for more than a moment. Counts markers outside fenced code, tags, lines
 * and nesting; it parses nothing itself and takes time in proportion to the text.
 * @param {string} text
 */
export function freezes(text) {
  const sums = { markers: 0, tags: 0, lines: 0 };
  let fences = 0;
  let open = "";
  for (const line of text.split("\n")) {
    const edge = fence.exec(line)?.[1] ?? "";
    if (edge) fences += 1;
    if (edge && !open) open = edge;
    else if (open && edge.startsWith(open)) open = "";
    else if (!open && lineFreezes(line, sums)) return true;
  }
  return fences > FENCES || sums.markers > MARKERS || sums.tags > TAGS || sums.lines > LINES;
}

/** @param {string} line @param {{markers: number, tags: number, lines: number}} sums */
function lineFreezes(line, sums) {
  const markers = line.match(marker)?.length ?? 0;
  sums.markers += markers;
  sums.lines += 1;
  if (line.includes("<")) sums.tags += line.match(tag)?.length ?? 0;
  return markers > MARKERS_PER_LINE || indented.test(line) || (nested.test(line) && !rule.test(line));
}

/**
 * Cut at a length without splitting a character in two.
 * @param {string} text @param {number} chars
 */
export function cut(text, chars) {
  if (text.length <= chars) return text;
  const last = text.charCodeAt(chars - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? chars - 1 : chars);
}
