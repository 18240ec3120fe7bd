/** The reason of a signal that fired because nobody waits for the answer any more. */

import type { HangupFacts, HangupKind, HangupPhase } from '../failure/hangup.js'

/** What the error is made of. */
type Gone = Pick<HangupFacts, 'kind' | 'phase' | 'ending' | 'afterMs'> & { readonly what: string }

/**
 * The client is gone: the `reason` of the signals that `watchClients` hands out, so that a handler that stops its work
 * throws something that says why. Its `code` is `OFFHOOK_CLIENT_GONE`.
 */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError'
  readonly code = 'OFFHOOK_CLIENT_GONE'
  /** How the line ended. */
  readonly kind: HangupKind
  /** How far it had come. */
  readonly phase: HangupPhase
  /** Milliseconds that it had waited. */
  readonly afterMs: number
  /** False when it was this server that ended the line. */
  readonly byClient: boolean

  /** @internal */
  constructor({ kind, phase, ending, afterMs, what }: Gone) {
    super(
      `${what}: ${ending === 'local' ? 'this server ended the connection' : ended[kind]} after ${Math.round(afterMs)} ms`,
    )
    // The stack is that of a socket's event: it tells nobody anything, and would keep the connection in memory.
    this.stack = `ClientGoneError: ${this.message}`
    this.kind = kind
    this.phase = phase
    this.afterMs = afterMs
    this.byClient = ending !== 'local'
  }
}

const ended: Record<HangupKind, string> = {
  reset: 'the client hung up (RST)',
  closed: 'the client hung up (FIN)',
  timeout: 'the client fell silent',
  unreachable: 'the client cannot be reached any more',
}
