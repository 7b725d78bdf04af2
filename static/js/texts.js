// @ts-check
/** Every text the browser side shows, in one place. Plain and short; no markup. */

/** @param {number} n @param {string} one @param {string} many */
const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

export const texts = {
  status: {
    waiting: "Waiting",
    running: "Writing",
    done: "Done",
    failed: "Failed",
    stopped: "Stopped",
  },
  you: "You",
  answer: "Answer",
  thinking: "Thinking",
  copy: "Copy",
  copied: "Copied",
  copyFailed: "Press Ctrl+C",
  copyAnswer: "Copy answer",
  copyCode: "Copy code",
  regenerate: "Regenerate",
  retry: "Retry",
  fullHeight: "Full height",
  lessHeight: "Less height",
  fold: "Fold",
  unfold: "Unfold",
  jump: "Jump to newest",
  unknownCost: "cost unknown",
  free: "no cost",
  /** @param {string} who */
  copyPanel: (who) => `Copy ${who}`,
  /** @param {string} who */
  stopPanel: (who) => `Stop ${who}`,
  /** @param {number} n */
  layer: (n) => `Layer ${n}`,
  analysis: "Analysis",
  /** @param {number} n */
  proposers: (n) => count(n, "proposer", "proposers"),
  /** @param {number} n */
  calls: (n) => count(n, "call", "calls"),
  /** @param {number} n */
  failed: (n) => `${n} failed`,
  /** @param {number} n @param {number} of */
  doneOf: (n, of) => `${n} of ${of} done`,
  /** @param {number} s */
  seconds: (s) => (s < 60 ? `${s.toFixed(1)} s` : `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`),
  /** @param {number} n @param {boolean} estimated */
  tokens: (n, estimated) => `${estimated ? "~" : ""}${count(n, "token", "tokens").replace(/^\d+/, n.toLocaleString("en"))}`,
  loading: "Loading…",
  loadFailed: "This could not be loaded.",
  tryAgain: "Try again",
  waitingForModel: "Waiting for its first words",
  waitingForLayer: "Starts when the layer before it is done",
  waitingForProposals: "Reads the proposals next",
  noText: "No text.",
  plain: "Shown as plain text: its formatting would freeze the page.",
  /** @param {number} shown */
  cut: (shown) => `Shown as formatted up to ${shown.toLocaleString("en")} characters. The rest, as plain text:`,
  /** @param {string} host */
  image: (host) => `[image: ${host}]`,
  /** @param {string} host */
  media: (host) => `[media: ${host}]`,
  imageHere: "[image]",
  history: "Conversations",
  settings: "Mixture",
  noHistory: "Your conversations will stand here.",
  running: "running",
  /** @param {string} title */
  more: (title) => `More for ${title}`,
  rename: "Rename",
  renameTo: "New title",
  save: "Save",
  cancel: "Cancel",
  remove: "Delete",
  removeAsk: "Delete this conversation?",
  keep: "Keep",
  untitled: "New conversation",
  proposersHead: "Proposers",
  addProposer: "Add a proposer",
  searchModels: "Search models",
  noModels: "No model has that in its name.",
  noPicked: "No proposers: the aggregator answers alone.",
  /** @param {string} variable */
  needs: (variable) => `needs ${variable}`,
  /** @param {string} label */
  oneMore: (label) => `One more ${label}`,
  /** @param {string} label */
  oneLess: (label) => `One less ${label}`,
  /** @param {string} label */
  removeModel: (label) => `Remove ${label}`,
  /** @param {number} n @param {number} max */
  pickedOf: (n, max) => `${n} of at most ${max}`,
  examples: "Try one of these",
  send: "Send",
};
