// The network and the servers of one history. A request is really an exchange of the code under test; what a socket
// would tell it is told by the agenda.

import { Choices } from '../chaos/choices.js'
import { afterStatus, fates, nested, ofFresh, ofReused } from './fates.js'

/**
 * @typedef {import('../../src/attempt/sender.js').Sending} Sending
 * @typedef {import('../../src/wire/exchange.js').Exchange} Exchange
 * @typedef {import('../../src/wire/socket-record.js').SocketRecord} SocketRecord
 * @typedef {import('./call.js').SimCall} SimCall
 * @typedef {import('./history.js').World} World
 * @typedef {import('./fates.js').Fate} Fate
 * @typedef {import('./fates.js').Again} Again
 * @typedef {{ row: number, again: Again, cheap: boolean, askedMs: number | undefined, stop: boolean }} Ruling
 * @typedef {{ number: number, hedge: boolean, fate: string, ruling: Ruling | undefined, begunAt: number, dispatched: boolean,
 *   reused: boolean, started: boolean, processed: boolean, proved: boolean, redirected: boolean, overAt: number | undefined,
 *   status: number | undefined, answer: Answer | undefined, stopped: boolean, exchange: Exchange | undefined }} Try
 * @typedef {{ status: number, headers: Record<string, string>, of: Try, exchange: Exchange | undefined, bodyOver: boolean, discarded: boolean,
 *   cancel: () => void }} Answer
 */

/** One request, from its dispatch to the end of its body. */
export class Request {
  #world
  #call
  #dice
  /** @type {Try} */
  #try
  /** @type {Exchange | undefined} */
  #exchange
  /** @type {SocketRecord | undefined} */
  #record
  /** @type {{ resolve: (answer: Answer) => void, reject: (error: unknown) => void }} */
  #settle
  #over = false

  /**
   * @param {World} world
   * @param {{ call: SimCall, tried: Try, settle: { resolve: (answer: Answer) => void, reject: (error: unknown) => void } }} of
   */
  constructor(world, { call, tried, settle }) {
    this.#world = world
    this.#call = call
    this.#try = tried
    this.#settle = settle
    this.#dice = new Choices(call.plan.seed, tried.number, tried.hedge ? 3 : 2)
  }

  /** @param {Sending} sending */
  go(sending) {
    const { weather } = this.#world.plan
    const drawn = this.#dice.chance(weather.good) ? 'good' : this.#dice.one([...weather.names, 'status'])
    // An inner call that is asked for HTTP/1.1 sends the outer one there, free of charge: the judge knows no such price.
    const beyond = drawn === 'nested' || drawn === 'HTTP/1.1 asked for'
    const name = beyond && this.#call.plan.inner === true ? 'good' : drawn
    this.#try.fate = name
    const fate = name === 'nested' ? nested : fates[name]
    if (fate?.where === 'mistake') return this.#refuse(fate)
    if (fate?.where === 'nested') return this.#inner(sending)
    const start = () => {
      if (!this.#over) this.#dispatch(sending, fate)
    }
    // Whoever sends may first look at its sockets.
    if (this.#dice.chance(0.3)) this.#world.clock.nextTurn(start)
    else start()
  }

  /** @param {Fate} fate */
  #refuse(fate) {
    this.#finish()
    this.#try.ruling = ruled(fate, 'no')
    this.#settle.reject(errorOf(fate))
  }

  /** The sender is itself made of a call: a fetch that drives another client. @param {Sending} sending */
  #inner(sending) {
    this.#try.dispatched = true
    const { signal } = sending
    signal.addEventListener('abort', () => {
      this.#try.stopped = true
      if (isLimit(signal.reason)) this.#try.ruling ??= ruled(silence, this.#call.plan.cls)
    })
    this.#world.callWithin(this.#call, signal, this.#dice).then(
      (answer) => {
        this.#finish()
        this.#ruleStatus(answer.status, answer.headers)
        this.#try.started = true
        this.#try.processed = true
        this.#settle.resolve(answer)
      },
      (/** @type {{ advice?: string, mayHaveExecuted?: boolean, kind?: string, status?: number }} */ error) => {
        this.#finish()
        this.#try.started = true
        this.#try.processed = true
        const unheard = error.mayHaveExecuted === false
        const stop = error.advice === 'do-not-retry'
        this.#try.proved = unheard
        // Which row it was stands in the inner error; here it is enough whether it may be repeated at all.
        this.#call.vague = true
        // Turned away at last: that has a row of its own, whatever the inner call had tried before.
        const away = error.kind === 'status' && (error.status === 421 || error.status === 425)
        const row = away ? (error.status === 421 ? 30 : 29) : 0
        const again = stop ? 'no' : away ? 'free-once' : unheard ? 'free' : 'paid'
        this.#try.ruling = { row, again, cheap: true, askedMs: undefined, stop }
        this.#settle.reject(error)
      },
    )
  }

  /**
   * @param {Sending} sending
   * @param {Fate | undefined} fate
   */
  #dispatch(sending, fate) {
    const { world, call } = { world: this.#world, call: this.#call }
    const exchange = sending.begin({ method: call.plan.method, origin: call.plan.origin, path: '/it' })
    this.#exchange = exchange
    this.#try.exchange = exchange
    this.#try.dispatched = true
    if (exchange.abandoned !== undefined) return this.#fail(exchange.abandoned.reason)
    const mayBeOld = fate?.where !== 'dial' && fate?.where !== 'dial-silence'
    const reused =
      !call.plan.foreign &&
      world.route === 'pooled' &&
      mayBeOld &&
      (fate?.where === 'reused' || this.#try.fate === ofReused || this.#dice.chance(0.3))
    this.#try.reused = reused
    if (!call.plan.foreign) {
      this.#record = world.connection(reused, this.#dice)
      exchange.assigned(world.line(this.#record))
    }
    // From outside a foreign dispatcher, a connection that dies before the request is one that was not made.
    if (fate?.where === 'reused' && call.plan.foreign) return this.#dial(fates['refused'])
    const lost = this.#try.fate === ofReused || this.#try.fate === ofFresh
    this.#dial(lost ? fates[reused ? ofReused : ofFresh] : fate)
  }

  /** @param {Fate | undefined} fate */
  #dial(fate) {
    if (fate?.where === 'dial' || fate?.where === 'reused') {
      const ms = fate.where === 'reused' ? 0 : this.#dice.whole(0, 30)
      if (fate.where === 'dial' && this.#record !== undefined) this.#record.dialPhase = fate.dial ?? 'connect'
      if (fate.where === 'dial' && this.#record !== undefined) this.#record.establishedAt = undefined
      return this.#after(ms, () => this.#fail(errorOf(fate), fate))
    }
    if (fate?.where === 'dial-silence') {
      if (this.#record !== undefined) {
        this.#record.dialPhase = 'connect'
        this.#record.establishedAt = undefined
      }
      this.#try.ruling = ruled(fate, this.#call.plan.cls)
      return this.#after(this.#silenceMs(), () => this.#fail(errorOf(fates['unreachable']), fates['unreachable']))
    }
    this.#after(this.#try.reused ? 0 : this.#dice.whole(0, 20), () => this.#start(fate))
  }

  /** @param {Fate | undefined} fate */
  #start(fate) {
    const exchange = /** @type {Exchange} */ (this.#exchange)
    try {
      exchange.started((reason) => this.#stopped(reason))
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#try.started = true
    this.#call.bodyTouched = true
    this.#try.proved = fate?.proved ?? false
    this.#try.processed =
      fate === undefined || fate.processed === 'always' || (fate.processed === 'maybe' && this.#dice.chance(0.6))
    if (fate !== undefined) this.#try.ruling = ruled(fate, this.#call.plan.cls)
    this.#world.judge.started(this.#call, this.#try)
    this.#call.moment('start')
    if (this.#over) return
    if (fate?.where === 'write') return this.#after(this.#dice.whole(0, 20), () => this.#fail(errorOf(fate), fate))
    exchange.tellsSent = true
    exchange.sent()
    const { slow } = this.#world.plan.weather
    const ms = this.#dice.chance(slow) ? this.#dice.whole(500, 20_000) : this.#dice.whole(0, 120)
    if (fate === undefined) return this.#after(ms, () => this.#answer())
    if (fate.where === 'silence')
      return this.#after(this.#silenceMs(), () => this.#failAs(this.#try.reused ? ofReused : ofFresh))
    if (fate.where === 'head')
      this.#after(ms, () => {
        exchange.responded()
        this.#after(this.#dice.whole(0, 5), () => this.#fail(errorOf(fate), fate))
      })
    else this.#after(ms, () => this.#fail(errorOf(fate), fate))
  }

  #answer() {
    const exchange = /** @type {Exchange} */ (this.#exchange)
    const { weather } = this.#world.plan
    const status = this.#try.fate === 'status' ? this.#dice.one(weather.statuses) : this.#dice.one([200, 200, 204, 302])
    const headers = headersOf(status, this.#dice)
    this.#try.status = status
    this.#ruleStatus(status, headers)
    const ruling = this.#ruling()
    if (ruling.row === 29 || ruling.row === 30) {
      this.#try.proved = true
      this.#try.processed = false
    }
    exchange.head(status, (name) => headers[name])
    if (this.#over) return
    /** @type {Answer} */
    const answer = {
      status,
      headers,
      of: this.#try,
      exchange,
      bodyOver: false,
      discarded: false,
      cancel: () => {
        if (this.#over) return
        exchange.stop(new Error('not read any further'))
        this.#echo(new Error('not read any further'))
      },
    }
    this.#try.answer = answer
    if (this.#dice.chance(0.6)) this.#endBody(answer)
    else this.#body(answer)
    this.#settle.resolve(answer)
    this.#call.moment('head')
  }

  /** @param {Answer} answer */
  #body(answer) {
    const left = this.#dice.whole(0, 3)
    const exchange = /** @type {Exchange} */ (this.#exchange)
    const piece = (/** @type {number} */ number) => {
      exchange.data(10)
      if (number > 0) return this.#after(this.#dice.whole(0, 200), () => piece(number - 1))
      if (!this.#dice.chance(this.#world.plan.weather.bodyCut)) return this.#endBody(answer)
      if (this.#record !== undefined) this.#record.ending = 'rst'
      this.#world.judge.bodyCut(this.#call, this.#try, exchange.failure(errorOf(fates['cut in the head'])))
      this.#finish()
    }
    this.#after(this.#dice.whole(0, 200), () => piece(left))
  }

  /** @param {Answer} answer */
  #endBody(answer) {
    const hidden = this.#exchange?.ended()
    if (hidden !== undefined)
      this.#world.violated(`a complete body was taken for one that was cut: ${hidden}`, this.#call)
    answer.bodyOver = true
    this.#finish()
  }

  /** Our side let go of it. @param {unknown} reason */
  #stopped(reason) {
    this.#try.stopped = true
    // A limit of ours ran out: whatever was to become of it, nothing came in time.
    if (isLimit(reason) && this.#try.answer === undefined) this.#try.ruling = ruled(silence, this.#call.plan.cls)
    if (this.#dice.chance(0.5)) this.#echo(reason)
    else queueMicrotask(() => this.#echo(reason))
  }

  /** @param {unknown} reason */
  #echo(reason) {
    if (this.#over) return
    this.#finish()
    this.#settle.reject(this.#exchange?.failure(reason))
  }

  /**
   * @param {unknown} raw
   * @param {Fate} [fate]
   */
  #fail(raw, fate) {
    if (this.#over) return
    if (fate !== undefined) {
      this.#try.ruling = ruled(fate, this.#call.plan.cls)
      if (this.#record !== undefined && fate.ending !== undefined) {
        this.#record.ending = fate.ending
        this.#record.endedAt = this.#world.clock.now()
      }
    }
    this.#finish()
    const told = this.#exchange?.failure(raw)
    this.#settle.reject(told)
  }

  /** @param {string} name */
  #failAs(name) {
    this.#fail(errorOf(fates[name]), fates[name])
  }

  #finish() {
    this.#over = true
    this.#try.overAt ??= this.#world.clock.now()
    this.#world.tell(
      this.#call,
      () =>
        `attempt ${this.#try.number} is over: ${this.#try.fate} ${this.#try.status ?? ''} ${JSON.stringify(this.#try.ruling)}`,
    )
    this.#call.moment('over')
  }

  #ruling() {
    return /** @type {Ruling} */ (this.#try.ruling)
  }

  /**
   * @param {number} status
   * @param {Record<string, string>} headers
   */
  #ruleStatus(status, headers) {
    if (status < 400) {
      this.#try.ruling = { row: 0, again: 'no', cheap: false, askedMs: undefined, stop: false }
      return
    }
    const { policy } = this.#world
    const hearing = policy.signalHeaders
    const pushback = hearing.pushback === undefined ? undefined : headers[hearing.pushback]
    const seconds = headers['retry-after'] ?? (headers['ratelimit'] === undefined ? undefined : '2')
    const asked =
      pushback !== undefined && !pushback.startsWith('-')
        ? Number(pushback)
        : seconds === undefined
          ? undefined
          : Number(seconds) * 1_000
    const stop =
      pushback?.startsWith('-') === true || (hearing.stop !== undefined && headers[hearing.stop] !== undefined)
    const { row, again, proved, cheap } = afterStatus(status, {
      cls: this.#call.plan.cls,
      reused: this.#try.reused,
      listed: policy.statuses.includes(status),
      hinted: asked !== undefined,
      nack: hearing.nack !== undefined && headers[hearing.nack] !== undefined,
    })
    const late = asked !== undefined && asked > (policy.maxRetryAfterMs ?? Number.POSITIVE_INFINITY)
    this.#try.ruling = { row, again: stop || late ? 'no' : again, cheap, askedMs: asked, stop: stop || late }
    if (proved) this.#try.proved = true
  }

  /** Nothing is silent for ever: somewhere on the way, state expires. */
  #silenceMs() {
    return this.#dice.whole(5_000, 400_000)
  }

  /**
   * @param {number} ms
   * @param {() => void} act
   */
  #after(ms, act) {
    this.#world.clock.later(ms, () => {
      if (!this.#over) act()
    })
  }
}

const silence = /** @type {Fate} */ (fates['silence'])
const noDial = /** @type {Fate} */ (fates['a dial without an answer'])

/** @param {unknown} reason */
function isLimit(reason) {
  return reason instanceof Error && reason.name === 'LimitReached'
}

/**
 * What is known of a try when the next one begins: one that was given up before its request went out is unsent.
 *
 * @param {Try} tried
 * @param {import('./fates.js').RequestClass} cls
 */
export function rulingOf(tried, cls) {
  const { started, exchange, ruling } = tried
  return !started && isLimit(exchange?.abandoned?.reason) ? ruled(noDial, cls) : ruling
}

/**
 * @param {Fate} fate
 * @param {import('./fates.js').RequestClass | 'no'} cls
 * @returns {Ruling}
 */
function ruled(fate, cls) {
  return {
    row: fate.row,
    again: cls === 'no' ? 'no' : fate[cls],
    cheap: fate.cheap === true,
    askedMs: undefined,
    stop: false,
  }
}

/** @param {Fate | undefined} fate */
function errorOf(fate) {
  const { message, ...fields } = fate?.raw ?? {}
  return Object.assign(new Error(message ?? `${fields.syscall ?? ''} ${fields.code}`), fields)
}

/**
 * @param {number} status
 * @param {Choices} dice
 * @returns {Record<string, string>}
 */
function headersOf(status, dice) {
  if (status < 400 || dice.chance(0.5)) return {}
  return {
    ...(dice.chance(0.5) && { 'retry-after': String(dice.one([0, 1, 5, 3_600])) }),
    ...(dice.chance(0.2) && { ratelimit: '"default";r=0;t=2' }),
    ...(dice.chance(0.2) && { 'x-stop': '1' }),
    ...(dice.chance(0.2) && { 'x-pushback': dice.one(['-1', '0', '300']) }),
    ...(dice.chance(0.2) && { 'x-nack': '1' }),
  }
}
