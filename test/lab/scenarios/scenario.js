// What a scenario is: a truth, and how to bring it about. The truths of one `looks` cannot be told apart by a caller.

/** @typedef {import('../../../src/failure/diagnosis.js').Mechanism} Mechanism */
/** @typedef {import('../../../src/failure/diagnosis.js').Party} Party */
/** @typedef {import('../../../src/failure/diagnosis.js').Side} Side */
/** @typedef {import('../stage.js').Stage} Stage */
/** @typedef {import('../stage.js').Outcome} Outcome */
/** @typedef {{ far: import('../stage.js').FarSide, caller: import('../stage.js').Caller }} Cast */

/**
 * The truth.
 *
 * @typedef {object} Label
 * @property {Mechanism | Mechanism[]} mechanism More than one where chance decides which of them comes about.
 * @property {string | string[]} story By the name that a diagnosis gives it; several where none is exactly it.
 * @property {Party} party
 * @property {Side} side
 * @property {string} looks What it looks like to the caller; truths that share it cannot be told apart from there.
 * @property {string} [looksNear] The same, where the round trip is too short for the clock to tell anything.
 */

/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} says What really happens, in a sentence.
 * @property {Label} label
 * @property {true} [hosts] Needs hosts of its own; without it loopback will do.
 * @property {number} [fromRoundTripMs] Needs a round trip of at least this.
 * @property {true} [quick] Part of the tests that run with every change.
 * @property {true} [alone] No other connections to the same peer.
 * @property {object} [client] Options of the caller's client, beside the lab's own.
 * @property {{ descriptors?: number }} [limits] Of the caller's process.
 * @property {(stage: Stage) => Partial<import('../far-side.mjs').FarSpec>} [far] The peer.
 * @property {(stage: Stage, cast: Cast) => Promise<void>} [setUp]
 * @property {(stage: Stage, cast: Cast) => Promise<Outcome>} provoke Makes the call that fails.
 * @property {(stage: Stage) => Promise<void>} [tearDown] Beyond what every stage takes down by itself.
 */

/**
 * Shorthands for the labels.
 *
 * @param {Party} party
 * @param {Side} side
 */
const of =
  (party, side) =>
  /**
   * @param {Mechanism | Mechanism[]} mechanism
   * @param {string | string[]} story
   * @param {string} looks
   * @param {string} [looksNear]
   * @returns {Label}
   */
  (mechanism, story, looks, looksNear = looks) => ({ mechanism, story, party, side, looks, looksNear })

export const application = of('peer-application', 'peer')
export const host = of('peer-host', 'peer')
export const tlsPeer = of('tls-peer', 'peer')
export const proxy = of('proxy', 'load-balancer')
export const path = of('path', 'network')
export const balancer = of('path', 'load-balancer')
export const names = of('name-service', 'network')
export const local = of('local-host', 'local')
export const self = of('self', 'self')

/** A POST: never repeated on a guess, so that the first failure is the one that is told. */
export const post = { method: 'POST', bodyBytes: 64 }
