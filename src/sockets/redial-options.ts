/** The options of redial, for both of its forms: where to dial, or a function that opens the connection. */

import type { ConnectionOptions } from 'node:tls'
import { longestDelayMs } from '../clock.js'
import {
  isPlainObject,
  mismatch,
  type OptionSection,
  openSection,
  ownOption,
  readable,
} from '../policy/option-check.js'
import type { Dispatcher } from '../wire/undici-connections.js'
import {
  checkPolicy,
  checkTarget,
  type DialOptions,
  type DialPolicy,
  type DialPolicyOptions,
  type DialTarget,
  functionOption,
  policyNames,
  targetNames,
  textOption,
} from './dial-options.js'

/**
 * Asks now and then whether the other side is still there. A peer that vanished (cable, power, a NAT that forgot) sends no
 * FIN and no RST: the line is half-open, and silence is all that can be heard of it.
 */
export interface HeartbeatOptions<Connection> {
  /** Milliseconds from one answer to the next beat. */
  readonly every: number
  /** The beat must be over within so many milliseconds, or the connection is given up with a `TimeoutError`. Default: `every`. */
  readonly timeout?: number | undefined
  /** Sends something that must be answered, and resolves when it was. `signal` aborts when nobody waits any more. */
  readonly beat: (connection: Connection, signal: AbortSignal) => unknown
}

/** What governs a redial, whatever it is that is dialled. */
export interface RedialPolicyOptions<Connection> extends DialPolicyOptions {
  /**
   * A connection that has lived so long has proved itself, and the backoff begins anew. Milliseconds, default 5,000.
   * That something was received proves nothing: servers that are full say so before they hang up.
   */
  readonly provenAfter?: number | undefined
  /** Asks now and then whether the other side is still there. Default: only the kernel does (`keepAlive`). */
  readonly heartbeat?: HeartbeatOptions<Connection> | undefined
}

/**
 * Where to stay connected to. `timeout` holds for each connection that is to be made. `retry.attempts`: connections in a
 * row that failed or did not prove themselves; by default there is no limit. `signal` ends all of it, the connection that
 * stands included.
 */
export interface RedialOptions<Connection> extends DialOptions, RedialPolicyOptions<Connection> {}

/** What a factory is told. */
export interface OpenContext {
  /** Aborts when nobody waits for this connection any more. */
  readonly signal: AbortSignal
  /** Counts the connections, from 1. */
  readonly turn: number
  /** Which try it is since a connection proved itself last, from 1. */
  readonly attempt: number
  /** An undici Dispatcher: what is sent by it (fetch, WebSocket, EventSource) is watched, and its failures have names. */
  readonly dispatcher: Dispatcher
}

/** How to stay connected to something that only a function of yours can open. */
export interface FactoryOptions<Connection> extends RedialPolicyOptions<Connection> {
  /**
   * Opens a connection: anything with a `'close'` event (sockets, streams, WebSocket, clients of databases), an
   * EventSource, or whatever is used up by the loop's own body, as a Response is. What is still connecting is waited for.
   * It should throw what the network threw; an error that is not the network's ends the redial as it is.
   */
  readonly open: (context: OpenContext) => Connection | PromiseLike<Connection>
  /** How errors and events call it. Default `factory`. */
  readonly name?: string | undefined
}

/** The options of a redial, checked and complete. */
export interface RedialPlan<Connection> {
  /** Where to dial, or the function that does. */
  readonly way: DialTarget | { readonly open: FactoryOptions<Connection>['open']; readonly origin: string }
  readonly policy: DialPolicy
  readonly provenMs: number
  readonly heartbeat: (Required<HeartbeatOptions<Connection>> & { readonly timeout: number }) | undefined
}

const redialNames = ['provenAfter', 'heartbeat']

/**
 * Checks the options of a redial.
 *
 * @throws TypeError that names the option, what is allowed and what came
 */
export function checkRedialOptions<Connection>(given: unknown): RedialPlan<Connection> {
  const value = typeof given === 'function' ? { open: given } : given
  const byFactory = isPlainObject(value) && readable('options', () => ownOption(value, 'open')) !== undefined
  const wayNames = byFactory ? ['open', 'name'] : targetNames
  const section = openSection('options', value, [...wayNames, ...policyNames, ...redialNames])
  return {
    way: byFactory ? checkFactory<Connection>(section) : checkTarget(section),
    policy: checkRedialPolicy(section, byFactory),
    provenMs: section.number('provenAfter', { min: 0, max: longestDelayMs }) ?? 5_000,
    heartbeat: checkHeartbeat<Connection>(section.raw('heartbeat')),
  }
}

function checkFactory<Connection>(section: OptionSection): RedialPlan<Connection>['way'] {
  const open = functionOption<FactoryOptions<Connection>['open']>(section, 'open')
  if (open === undefined) throw mismatch(`${section.path}.open`, 'a function', open)
  return { open, origin: textOption(section, 'name') ?? 'factory' }
}

function checkRedialPolicy(section: OptionSection, byFactory: boolean): DialPolicy {
  const policy = checkPolicy(section)
  const retry = section.raw('retry')
  const limited = typeof retry === 'object' && retry !== null && ownOption(retry, 'attempts') !== undefined
  const { connect, total } = policy.limits
  if (byFactory && total !== undefined)
    throw mismatch(
      'timeout',
      '{ connect }: a factory has no total, for the body of a response may be its connection',
      total,
    )
  return {
    ...policy,
    retry: limited ? policy.retry : { ...policy.retry, attempts: Number.POSITIVE_INFINITY },
    // What a factory does while it opens a connection cannot be told apart: the limit holds for the whole try.
    limits: byFactory ? { ...policy.limits, connect: undefined, attempt: connect } : policy.limits,
  }
}

function checkHeartbeat<Connection>(value: unknown): RedialPlan<Connection>['heartbeat'] {
  if (value === undefined) return undefined
  const section = openSection('heartbeat', value, ['every', 'timeout', 'beat'])
  const range = { min: 1, max: longestDelayMs }
  const every = section.number('every', range)
  if (every === undefined) throw mismatch('heartbeat.every', 'a number of milliseconds', every)
  const beat = functionOption<HeartbeatOptions<Connection>['beat']>(section, 'beat')
  if (beat === undefined) throw mismatch('heartbeat.beat', 'a function', beat)
  return { every, timeout: section.number('timeout', range) ?? every, beat }
}

/** Options that ask for TLS. */
export interface WithTls {
  readonly tls: true | ConnectionOptions
}
