// @ts-check
/**
 * The JSON of `moa/ui/contract.py`, as the browser reads it. Types only.
 *
 * @typedef {"waiting"|"running"|"done"|"failed"|"stopped"} PanelStatus
 * @typedef {"running"|"complete"|"degraded"|"failed"|"cancelled"|"interrupted"} TurnStatus
 *
 * @typedef {object} PanelJson
 * @property {string} slot "1.2"
 * @property {string} model
 * @property {string|null} label persona
 * @property {PanelStatus} status
 * @property {string|null} text null: not sent, fetch the turn
 * @property {string} reasoning
 * @property {number|null} seconds
 * @property {number|null} tokens
 * @property {boolean} estimated
 * @property {string|null} cost
 * @property {string|null} note
 * @property {string|null} error
 *
 * @typedef {{number: number, kind: "proposers"|"analysis", panels: PanelJson[]}} LayerJson
 *
 * @typedef {object} TotalsJson
 * @property {number|null} seconds
 * @property {number|null} first seconds to the first words of the answer
 * @property {number} calls
 * @property {number|null} tokens
 * @property {boolean} estimated
 * @property {string|null} cost
 *
 * @typedef {object} TurnJson
 * @property {string} id
 * @property {string} run
 * @property {number} position on the path, from 1
 * @property {string[]} attempts ids of its runs, `run` among them
 * @property {string[]} siblings ids of the turns at its place, its own among them
 * @property {string} question
 * @property {string} recipe
 * @property {TurnStatus} status
 * @property {LayerJson[]} layers
 * @property {PanelJson|null} answer
 * @property {string|null} notice
 * @property {TotalsJson} totals
 * @property {"resume"|"retry"|null} mend
 * @property {ComparisonJson|null} comparison the turn's columns, if it was asked in several
 *
 * @typedef {"A"|"B"|"C"|"D"} Side
 * @typedef {{side: Side, turn: TurnJson}} ColumnJson
 * @typedef {{choice: Side|"tie"|"bad", blind: boolean, stale: boolean}} VoteJson
 *
 * @typedef {object} ComparisonJson
 * @property {boolean} hidden names are not shown until the vote
 * @property {boolean} votable every column has ended
 * @property {ColumnJson[]} columns from left to right
 * @property {VoteJson|null} vote
 * @property {string[]} tags
 *
 * @typedef {{id: string, label: string, group: "own"|"recipe"|"model", needs: string|null}} SystemJson
 * @typedef {{system: string, temperature: number|null}} OpponentJson
 * @typedef {{on: boolean, choices: SystemJson[], picked: OpponentJson[], blind: boolean, reuse: boolean, max: number}} VersusJson
 *
 * @typedef {object} WelcomeJson
 * @property {string} title
 * @property {string} sentence
 * @property {string[]} examples
 * @property {string|null} model
 * @property {string|null} hint
 *
 * @typedef {{conversation: string|null, turns: TurnJson[], welcome: WelcomeJson|null, focus: string|null}} SettledJson
 * @typedef {{conversation: string|null, turn: TurnJson|null, ended: boolean}} LiveJson
 * @typedef {{id: string, title: string, at: string, running: boolean, pinned: boolean}} EntryJson
 * @typedef {{entries: EntryJson[], current: string|null, next: string|null}} HistoryJson
 *
 * What `/moa/search` and the routes of links tell:
 * @typedef {object} HitJson
 * @property {string} conversation
 * @property {string} title
 * @property {string|null} turn null: its title was found
 * @property {"title"|"question"|"answer"|"proposal"} where
 * @property {{text: string, hit: boolean}[]} snippet
 * @property {string} at
 *
 * @typedef {{hits: HitJson[], next: number|null}} FoundJson
 * @typedef {{id: string, created_at: string, expires_at: string}} ShareJson
 * @typedef {{turn: string|null, question: string|null}} ForkJson
 * @typedef {{id: string, label: string, provider: string, needs: string|null, note: string|null}} ChoiceJson
 * @typedef {{model: string, label?: string|null, count: number}} PickedJson
 * @typedef {{choices: ChoiceJson[], picked: PickedJson[], max: number}} MixerJson
 *
 * What `/moa/turns/…/why` tells; all but `sentences` has the order of `slots`, shares are from 0 to 1:
 * @typedef {object} WhyJson
 * @property {string} run
 * @property {string[]} slots
 * @property {number[]} overlaps
 * @property {{text: string, slot: string|null, score: number}[]} sentences
 * @property {number[][]} agreement
 * @property {string[][]} dissents
 *
 * What Gradio hands to a custom component's script:
 * @typedef {Record<string, any>} Props
 * @typedef {(names: string|string[], changed: () => void) => void} Watch
 * @typedef {(event: string, payload?: object) => void} Trigger
 */
export {};
