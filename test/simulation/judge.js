// What must hold at every step of a history, whatever happens in it.

import { Enough } from './call.js'
import { rulingOf } from './far-side.js'

/**
 * @typedef {import('./call.js').SimCall} SimCall
 * @typedef {import('./far-side.js').Try} Try
 * @typedef {import('./far-side.js').Answer} Answer
 * @typedef {import('./far-side.js').Ruling} Ruling
 * @typedef {import('./fates.js').Again} Again
 * @typedef {import('./history.js').World} World
 * @typedef {import('../../src/failure/errors.js').AnyOffhookError} AnyOffhookError
 */

/** Most transparent retries in a row, as the reference has it. */
const mostFree = 3

export class Judge {
  #world

  /** @param {World} world */
  constructor(world) {
    this.#world = world
  }

  /**
   * An attempt is handed to the sender.
   *
   * @param {SimCall} call
   * @param {Try} tried
   */
  begins(call, tried) {
    const { clock, gone } = this.#world
    const now = clock.now()
    const wrong = (/** @type {string} */ what) => this.#world.violated(what, call)
    if (call.settled !== undefined) wrong('an attempt begins after the call has settled')
    if (call.abortedAt !== undefined) wrong('an attempt begins after the abort')
    if (call.plan.total !== undefined && now > call.startedAt + call.plan.total)
      wrong('an attempt begins after the deadline')
    if (gone) wrong('an attempt begins after the client was destroyed')
    this.#world.tell(call, () => `attempt ${tried.number}${tried.hedge ? ' (hedge)' : ''} begins, ${this.#world.route}`)
    const before = call.tries.filter(({ overAt }) => overAt === undefined)
    if (tried.hedge) this.#hedges(call, wrong)
    else if (before.length > 0 && before.some((one) => !one.stopped && one.started))
      wrong('an attempt begins while another one runs')
    if (call.tries.length === 0 || tried.hedge) {
      if (!tried.hedge) call.counted = 1
    } else this.#again(call, tried, wrong)
    const watch = this.#world.origin(call.plan.origin)
    // A hedge takes no place of its own, and the limit may have fallen since the first attempt took its place.
    const running = this.#world.running(call.plan.origin) + 1
    if (!tried.hedge && running > watch.places) wrong(`${running} attempts at work, and ${watch.places} may be`)
  }

  /**
   * Bytes of a request go out.
   *
   * @param {SimCall} call
   * @param {Try} tried
   */
  started(call, tried) {
    const wrong = (/** @type {string} */ what) => this.#world.violated(what, call)
    this.#world.tell(
      call,
      () => `attempt ${tried.number} is written; its fate: ${tried.fate}${tried.processed ? ', processed' : ''}`,
    )
    if (call.settled !== undefined) wrong('a request is written after the call has settled')
    if (call.plan.cls !== 'unsafe') return
    for (const earlier of call.tries) {
      if (earlier === tried || !earlier.started || earlier.proved) continue
      // What an inner call met is ruled on by its own options; of the outer one it is enough that it opened a way.
      if (earlier.fate === 'nested' && [...this.#world.policy.optIns].some((name) => name.startsWith('unsafe')))
        continue
      const opened = openedBy(earlier.ruling?.again)
      if (opened === undefined || !this.#world.policy.optIns.has(/** @type {any} */ (opened)))
        wrong(`an unsafe request goes out again after "${earlier.fate}", which it may have been executed by`)
    }
  }

  /**
   * The caller gets an answer.
   *
   * @param {SimCall} call
   * @param {Answer} answer
   */
  answered(call, answer) {
    const wrong = (/** @type {string} */ what) => this.#world.violated(what, call)
    this.#world.tell(call, () => `resolves with ${answer.status}`)
    this.#settles(call, wrong)
    if (call.abortedAt !== undefined && call.abortedAt < (call.settled?.at ?? 0)) wrong('an answer after the abort')
    if (answer.discarded) wrong('the answer had been thrown away')
    if (call.plan.throwOnStatus && answer.status >= 400) wrong(`${answer.status} is an answer, and was to be an error`)
  }

  /**
   * The caller gets an error.
   *
   * @param {SimCall} call
   * @param {unknown} error
   */
  failed(call, error) {
    const wrong = (/** @type {string} */ what) => this.#world.violated(what, call)
    this.#world.tell(call, () => `rejects: ${error} ${/** @type {any} */ (error).stopReason ?? ''}`)
    this.#settles(call, wrong)
    if (error instanceof Enough || error === this.#world.refusal) return
    if (!this.#world.parts.isOffhookError(error)) {
      if (call.tries.some(({ fate }) => fate === 'a mistake of the caller' || fate === 'nested')) return
      if (call.signal.aborted && error === call.signal.reason) return
      return wrong(`rejects with what is no error of ours: ${error}`)
    }
    if (call.signal.aborted && error === call.signal.reason) return
    this.#judgeError(call, /** @type {AnyOffhookError} */ (error), wrong)
  }

  /**
   * A body was cut while its reader read it.
   *
   * @param {SimCall} call
   * @param {Try} tried
   * @param {unknown} told what its reader is told
   */
  bodyCut(call, tried, told) {
    // Of an attempt that nobody listens to any more, nothing is told.
    if (call.settled?.answer?.of !== tried || tried.stopped) return
    const { isOffhookError } = this.#world.parts
    const { stopReason, delivery, kind } = /** @type {AnyOffhookError} */ (told)
    if (!isOffhookError(told) || stopReason !== 'committed' || delivery !== 'partial' || kind !== 'reset')
      this.#world.violated(`the reader of a body that was cut is told ${told}, ${stopReason}, ${delivery}`, call)
  }

  /** @param {SimCall} call */
  atEnd(call) {
    const wrong = (/** @type {string} */ what) => this.#world.violated(what, call)
    if (call.settled === undefined) wrong('the call never settled')
    if (call.left !== call.entered || call.entered > 1)
      wrong(`entered ${call.entered} times and left ${call.left} times`)
    for (const { answer, overAt, fate } of call.tries) {
      if (overAt === undefined && fate !== 'none yet') wrong(`the request of "${fate}" is still under way`)
      if (answer === undefined || answer.discarded || answer.bodyOver || answer.of.overAt !== undefined) continue
      wrong('an answer was neither handed over nor thrown away')
    }
  }

  /**
   * @param {SimCall} call
   * @param {(what: string) => void} wrong
   */
  #hedges(call, wrong) {
    const { plan } = call
    if (plan.cls === 'unsafe') wrong('an unsafe request is hedged')
    if (!plan.hedge || this.#world.settings.hedge === undefined) wrong('hedged, and nobody wanted it')
    if (plan.body === 'once' && call.bodyTouched) wrong('hedged, and its body is gone')
    if (call.tries.length !== 1) wrong(`hedged after ${call.tries.length} attempts`)
    const watch = this.#world.origin(plan.origin)
    watch.hedgesPaid++
    const most = (this.#world.plan.primed + watch.good) * (this.#world.settings.hedge?.maxExtra ?? 0) * 2
    if (watch.hedgesPaid > most) wrong(`${watch.hedgesPaid} hedges, and ${most} were allowed`)
    this.#pays(watch, 1, wrong)
  }

  /**
   * A further attempt: what the reference says of the one before must allow it.
   *
   * @param {SimCall} call
   * @param {Try} tried
   * @param {(what: string) => void} wrong
   */
  #again(call, tried, wrong) {
    const { policy } = this.#world
    const last = call.tries.filter(({ number }) => number === tried.number - 1)
    if (policy.disabled === true) wrong('tried again with retries switched off')
    if (call.plan.body === 'once' && call.bodyTouched) wrong('tried again, and the body is gone')
    const open = last.flatMap((one) => {
      const ruling = rulingOf(one, call.plan.cls)
      return ruling === undefined ? [] : [{ ruling, way: this.#way(call, ruling) }]
    })
    const allowed = open.filter(({ way }) => way !== undefined)
    if (allowed.length === 0)
      return wrong(`tried again after "${last.map(({ fate, status }) => status ?? fate)}", which the table forbids`)
    const free = allowed.find(({ way }) => way?.free)
    const { ruling } = free ?? /** @type {{ ruling: Ruling }} */ (allowed[0])
    // Of two that have failed, which one counts is another matter.
    if (last.length > 1) call.vague = true
    else call.rows.set(ruling.row, (call.rows.get(ruling.row) ?? 0) + 1)
    call.freeInRow = free === undefined ? 0 : call.freeInRow + 1
    this.#waits(call, tried, { last, asked: ruling.askedMs, free: free !== undefined, wrong })
    if (free !== undefined) return
    if (call.counted >= policy.attempts) wrong(`attempt ${call.counted + 1} of ${policy.attempts}`)
    call.counted++
    const { throttleCost } = this.#world.settings.budget
    this.#pays(
      this.#world.origin(call.plan.origin),
      Math.min(1, allowed.some((one) => one.ruling.cheap) ? throttleCost : 1),
      wrong,
    )
  }

  /**
   * @param {SimCall} call
   * @param {Ruling} ruling
   */
  #way(call, { again, row }) {
    const manner =
      typeof again === 'object'
        ? this.#world.policy.optIns.has(/** @type {any} */ (again.optIn))
          ? again.manner
          : 'no'
        : again
    const used = call.rows.get(row) ?? 0
    const freely = call.freeInRow < mostFree
    switch (manner) {
      case 'no':
        return undefined
      case 'free':
        return { free: freely }
      case 'free-once':
        return used > 0 ? undefined : { free: freely }
      case 'free-first':
        return { free: freely && used === 0 }
      case 'paid-once':
        return used > 0 ? undefined : { free: false }
      default:
        return { free: false }
    }
  }

  /**
   * @param {SimCall} call
   * @param {Try} tried
   * @param {{ last: readonly Try[], asked: number | undefined, free: boolean, wrong: (what: string) => void }} of
   */
  #waits(call, tried, { last, asked, free, wrong }) {
    // By our own limit: when that was is not for the far side to say.
    if (last.some((one) => one.overAt === undefined || one.stopped || one.exchange?.abandoned !== undefined)) return
    const ended = Math.max(...last.map(({ overAt }) => overAt ?? 0))
    const waited = tried.begunAt - ended
    if (asked !== undefined && last.length === 1 && waited < asked)
      wrong(`waited ${waited} ms, and the server asked for ${asked}`)
    if (this.#world.settings.concurrency !== undefined || call.vague) return
    const { baseMs, throttledBaseMs, capMs } = this.#world.policy.backoff
    const most = free ? 0 : Math.min(capMs, Math.max(baseMs, throttledBaseMs) * 2 ** (call.counted - 1))
    if (waited > most + (asked ?? 0)) wrong(`waited ${waited} ms, and at most ${most} + ${asked ?? 0} were to be`)
  }

  /**
   * @param {import('./origin-watch.js').OriginWatch} watch
   * @param {number} cost
   * @param {(what: string) => void} wrong
   */
  #pays(watch, cost, wrong) {
    watch.spent += cost
    if (watch.spent > watch.granted + 1e-6)
      wrong(`extra attempts for ${watch.spent} tokens, and ${watch.granted} were granted`)
  }

  /**
   * @param {SimCall} call
   * @param {(what: string) => void} wrong
   */
  #settles(call, wrong) {
    const at = call.settled?.at ?? 0
    const { total } = call.plan
    if (total !== undefined && at > call.startedAt + total)
      wrong(`settles ${at - call.startedAt - total} ms after its deadline`)
    if (call.abortedAt !== undefined && at > call.abortedAt) wrong(`settles ${at - call.abortedAt} ms after its abort`)
  }

  /**
   * @param {SimCall} call
   * @param {AnyOffhookError} error
   * @param {(what: string) => void} wrong
   */
  #judgeError(call, error, wrong) {
    const tries = call.tries.filter(({ hedge }) => !hedge)
    const executed = call.tries.some(({ started, processed, proved }) => started && processed && !proved)
    const nested = call.tries.some(({ fate }) => fate === 'nested')
    // What an inner call has failed with may be passed on as it is, and speaks of that call.
    const own = error.origin === call.plan.origin
    if (executed && own && !error.mayHaveExecuted)
      wrong(`executed, and the error says that it cannot have been: ${error.message}`)
    const seen = call.tries.every(({ started, dispatched }) => !started && dispatched)
    if (seen && !nested && error.mayHaveExecuted)
      wrong(`not one byte went out, and the error says that it may have been executed: ${error.message}`)
    // What an inner call has failed with has a story of its own, which is judged where it is made.
    if (nested || (error.kind === 'not-admitted' && error.admission === 'destroyed')) return
    this.#judgeReports(call, error, { tries, wrong })
    this.#judgeReason(call, error, wrong)
  }

  /**
   * @param {SimCall} call
   * @param {AnyOffhookError} error
   * @param {{ tries: readonly Try[], wrong: (what: string) => void }} of
   */
  #judgeReports(call, error, { tries, wrong }) {
    const asleep = error.kind === 'timeout' && error.phase === 'call'
    // Refused by this client, or still before the gate: of these the far side has seen nothing.
    const unseen = error.attempts.filter(
      ({ kind, code, phase, connection, timings }) =>
        (kind === 'not-admitted' && code === undefined) ||
        (kind === 'timeout' && phase === 'call' && connection === undefined && timings === undefined),
    )
    const reported = error.attempts.length - unseen.length
    if (reported !== tries.length) wrong(`${reported} attempts are reported and ${tries.length} were made`)
    if (
      asleep &&
      unseen.length === 0 &&
      call.tries.every((one) => one.overAt !== undefined && one.overAt < call.startedAt + (call.plan.total ?? 0))
    )
      wrong('the deadline came while the call waited to try again')
    const seen = error.attempts.filter((attempt) => !unseen.includes(attempt))
    for (const [index, { delivery, number }] of seen.entries()) {
      if (number !== error.attempts.indexOf(/** @type {any} */ (seen[index])) + 1)
        wrong(`attempt ${number} stands in the wrong place`)
      const all = call.tries.filter((one) => one.number === index + 1 && one.fate !== 'nested')
      const heard = all.some((one) => one.started && one.processed && !one.proved)
      if (heard && (delivery === 'unsent' || delivery === 'rejected'))
        wrong(`attempt ${number} is called ${delivery} and was executed`)
    }
    const last = error.attempts.at(-1)
    if (last !== undefined && last.decision.stopReason !== error.stopReason)
      wrong(`stops for ${error.stopReason}, and its last attempt for ${last.decision.stopReason}`)
    if (last !== undefined && last.delivery !== error.delivery)
      wrong(`is ${error.delivery}, and its last attempt ${last.delivery}`)
  }

  /**
   * @param {SimCall} call
   * @param {AnyOffhookError} error
   * @param {(what: string) => void} wrong
   */
  #judgeReason(call, error, wrong) {
    const { policy, settings } = this.#world
    const watch = this.#world.origin(call.plan.origin)
    const final = call.tries.at(-1)?.number
    const last = call.tries.filter(({ number }) => number === final).map((one) => rulingOf(one, call.plan.cls))
    const any = (/** @type {(ruling: Ruling) => boolean} */ is) => last.some((one) => one !== undefined && is(one))
    const gates = [settings.breaker, settings.throttle, settings.concurrency].some((one) => one !== undefined)
    /** @type {Record<string, boolean>} */
    const holds = {
      attempts: call.counted >= policy.attempts || call.vague || any(({ row }) => row === 31),
      budget: watch.denied > 0,
      deadline: call.plan.total !== undefined,
      unsafe: call.plan.cls !== 'idempotent',
      body: call.plan.body === 'once' && call.bodyTouched,
      'server-said': any(({ stop }) => stop),
      permanent:
        call.vague ||
        any(({ again, row }) => typeof again === 'object' || again === 'no' || (call.rows.get(row) ?? 0) > 0),
      disabled: policy.disabled === true || error.kind === 'status',
      local: gates,
    }
    const { stopReason = 'none' } = error
    if (holds[stopReason] !== true) wrong(`stops for "${stopReason}", and there is no reason for that`)
  }
}

/** @param {Again | undefined} again */
function openedBy(again) {
  return typeof again === 'object' ? again.optIn : undefined
}
