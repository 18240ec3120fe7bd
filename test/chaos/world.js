// One world from its beginning to the judge's last word.

import { getEventListeners } from 'node:events'
import { longestMs, perform } from './caller.js'
import { Choices } from './choices.js'
import { judgeLedger, judgeOutcome } from './judge.js'
import { planCall, planWorld } from './plan.js'

/**
 * @typedef {import('./plan.js').CallPlan} CallPlan
 * @typedef {import('./plan.js').WorldPlan} WorldPlan
 * @typedef {import('./caller.js').Client} Client
 * @typedef {import('./caller.js').Outcome} Outcome
 * @typedef {import('./far-side.js').FarReport} FarReport
 * @typedef {{ url: string, ca?: string | undefined, close(): Promise<FarReport> }} FarSide
 * @typedef {{ call?: number, fault: string, history?: unknown }} Violation
 * @typedef {{ world: WorldPlan, violations: Violation[], kinds: Record<string, number>, calls: number, succeeded: number, executed: number, began: number, restarts: number, connections: number }} WorldReport
 * @typedef {{ createClient: (options: any) => Client, isOurs: (error: unknown) => boolean, openFarSide: (world: WorldPlan) => Promise<FarSide>,
 *   loop: import('./loop-clock.js').LoopClock }} Tools
 */

/**
 * @param {{ seed: number, number: number, calls?: number }} which
 * @param {Tools} tools
 * @returns {Promise<WorldReport>}
 */
export async function runWorld({ seed, number, calls }, tools) {
  const world = planWorld(seed, number, calls)
  const far = await tools.openFarSide(world)
  const dice = new Choices(seed, number, 7)
  const client = tools.createClient({
    ...world.client,
    random: () => dice.number(),
    ...(far.ca !== undefined && { tls: { ca: far.ca } }),
  })
  const shared = new AbortController().signal
  /** @type {{ call: CallPlan, outcome: Outcome, faults: string[] }[]} */
  const settled = []
  let next = world.first + 1
  const lane = async () => {
    while (next <= world.first + world.calls) {
      const call = planCall(world, next++)
      const outcome = await withinReason(perform(client, call, { url: far.url, shared }), tools.loop)
      settled.push({ call, outcome, faults: judgeOutcome(call, outcome, { world, ...tools }) })
    }
  }
  await Promise.all(Array.from({ length: Math.min(world.atOnce, world.calls) }, lane))

  /** @type {Violation[]} */
  const violations = (await leave(client, world, tools)).map((fault) => ({ fault }))
  const listeners = getEventListeners(shared, 'abort').length
  if (listeners > 0) violations.push({ fault: `${listeners} listeners are left on a signal that calls shared` })
  const report = await far.close()
  return conclude({ world, settled, report, violations, tools })
}

/**
 * @param {{ world: WorldPlan, settled: { call: CallPlan, outcome: Outcome, faults: string[] }[], report: FarReport, violations: Violation[], tools: Tools }} all
 * @returns {WorldReport}
 */
function conclude({ world, settled, report, violations, tools }) {
  /** @type {Map<string, import('./far-side.js').Entry[]>} */
  const entriesOf = new Map()
  for (const entry of report.entries) entriesOf.set(entry.id, [...(entriesOf.get(entry.id) ?? []), entry])
  /** @type {Record<string, number>} */
  const kinds = {}
  let succeeded = 0
  for (const { call, outcome, faults } of settled) {
    const entries = entriesOf.get(call.id) ?? []
    faults.push(...judgeLedger(call, outcome, { entries, world, isOurs: tools.isOurs }))
    if (faults.length > 0)
      violations.push({
        call: call.number,
        fault: faults.join('; '),
        history: { call, outcome: told(outcome), entries, world },
      })
    const kind =
      outcome.error === undefined ? `${outcome.status}` : tools.isOurs(outcome.error) ? outcome.error.kind : 'aborted'
    if (outcome.error === undefined) succeeded += 1
    kinds[kind] = (kinds[kind] ?? 0) + 1
  }
  const sum = (/** @type {'executed' | 'began'} */ what) => report.entries.reduce((all, entry) => all + entry[what], 0)
  const { restarts, connections } = report
  const calls = settled.length
  return {
    world,
    violations,
    kinds,
    calls,
    succeeded,
    executed: sum('executed'),
    began: sum('began'),
    restarts,
    connections,
  }
}

/** @param {Outcome} outcome */
function told({ error, text, reason: _, ...outcome }) {
  return {
    ...outcome,
    ...(text !== undefined && { text: `${text.length} bytes: ${text.slice(0, 60)}` }),
    ...(error !== undefined && { error: error?.toJSON?.() ?? String(error?.stack ?? error) }),
  }
}

/**
 * The call, or a complaint that it does not end.
 *
 * @param {Promise<Outcome>} call
 * @param {import('./loop-clock.js').LoopClock} loop
 * @returns {Promise<Outcome>}
 */
async function withinReason(call, loop) {
  const startedAt = performance.now()
  const until = loop.now + longestMs
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  const never = new Promise((resolve) => {
    const look = () => {
      const left = until - loop.now
      if (left > 0) timer = setTimeout(look, left)
      else resolve({ startedAt, settledAt: performance.now(), error: new Error('it never settled') })
    }
    look()
  })
  try {
    return await Promise.race([call, never])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Closes the client, and says what it left undone.
 *
 * @param {Client} client
 * @param {WorldPlan} world
 * @param {Tools} tools
 */
async function leave(client, world, { loop }) {
  const faults = []
  const { inFlight } = client.stats()
  // A body that was left has perhaps not been let go of yet.
  if (!world.graceful && inFlight > world.atOnce) faults.push(`${inFlight} calls are under way when all have settled`)
  const startedAt = performance.now()
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  const closed = world.graceful ? client.close() : client.destroy()
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, 10_000, 'late')
  })
  if ((await Promise.race([closed, late])) === 'late') {
    faults.push(
      `${world.graceful ? 'close' : 'destroy'} took more than ${Math.round(loop.between(startedAt, performance.now()))} ms`,
    )
    await client.destroy()
  }
  clearTimeout(timer)
  return faults
}
