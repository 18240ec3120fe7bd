// Brings one scenario about, once, and keeps what the caller was told.

import { addresses } from './network.js'
import { Stage } from './stage.js'

/** @typedef {import('./scenarios/scenario.js').Scenario} Scenario */
/** @typedef {import('./scenarios/scenario.js').Cast} Cast */
/** @typedef {import('./stage.js').Report} Report */

/**
 * @typedef {object} Trial
 * @property {string} scenario
 * @property {number} turn
 * @property {number} roundTripMs
 * @property {Report} [report] Absent where nothing failed.
 * @property {string} [trouble] Why there is no report.
 */

/**
 * @typedef {object} TrialOptions
 * @property {string} packageUrl
 * @property {boolean} hosts
 * @property {number} roundTripMs
 * @property {number} loopDelayMs
 * @property {number} turn
 * @property {boolean} probe Whether offhook may probe after a failure.
 */

const patience = { connect: 1_500, headers: 1_500, body: 1_500 }
const longestMs = 30_000

/**
 * @param {Scenario} scenario
 * @param {TrialOptions} options
 * @returns {Promise<Trial>}
 */
export async function tryOut(scenario, options) {
  const { turn } = options
  const roundTripMs = options.hosts ? options.roundTripMs : 0
  const told = { scenario: scenario.name, turn, roundTripMs }
  /** @type {Stage | undefined} */
  let stage
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  try {
    stage = await Stage.open({ ...options, network: options.hosts })
    const tooLong = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('it took too long')), longestMs)
    })
    const failure = await Promise.race([provoke(scenario, stage, options), tooLong])
    return failure === undefined ? { ...told, trouble: 'nothing failed' } : { ...told, report: failure }
  } catch (error) {
    return { ...told, trouble: error instanceof Error ? error.message : String(error) }
  } finally {
    clearTimeout(timer)
    if (stage !== undefined) {
      await scenario.tearDown?.(stage).catch(() => {})
      await stage.close()
    }
  }
}

/**
 * @param {Scenario} scenario
 * @param {Stage} stage
 * @param {TrialOptions} options
 * @returns {Promise<Report | undefined>}
 */
async function provoke(scenario, stage, options) {
  const [far, caller] = await Promise.all([
    stage.far(scenario.far?.(stage)),
    stage.caller(clientOf(scenario, options), scenario.limits),
  ])
  const cast = { far, caller }
  await scenario.setUp?.(stage, cast)
  await company(scenario, stage, cast)
  const outcome = await scenario.provoke(stage, cast)
  return outcome.failure
}

/**
 * @param {Scenario} scenario
 * @param {TrialOptions} options
 */
function clientOf({ client = {} }, { probe }) {
  const { timeout, ...rest } = /** @type {{ timeout?: object }} */ (client)
  return {
    timeout: { ...patience, ...timeout },
    retry: { attempts: 2 },
    // What ends an idle connection here is not the client's own patience.
    keepAlive: 60_000,
    ...(probe && { diagnosis: { probe: true } }),
    ...rest,
  }
}

/**
 * What else goes on, by turns: nothing; calls to another place; and other connections to the same peer as well.
 *
 * @param {Scenario} scenario
 * @param {Stage} stage
 * @param {Cast} cast
 */
async function company({ alone, client }, stage, { far, caller }) {
  const crowd = stage.options.turn % 3
  if (crowd === 0 || (client !== undefined && 'proxy' in client)) return
  const elsewhere = await stage.far(stage.options.network ? { host: addresses.elsewhere } : {})
  await caller.ask('murmur', { url: elsewhere.url() })
  if (crowd === 1 || alone) return
  const url = client !== undefined && 'tls' in client ? far.secureUrl : far.url
  const slow = url.call(far, `/ok?ms=${2 * stage.roundTripMs + 60}`)
  await Promise.all([1, 2, 3].map(() => caller.good(slow)))
}
