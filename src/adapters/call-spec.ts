import type { Sender } from '../attempt/sender.js'
import type { CallSpec, CallTarget } from '../call/spec.js'
import { requestClass } from '../policy/idempotency.js'
import { type CallOptions, type CallSettings, given } from './call-options.js'
import { mayResume } from './resume.js'

/** What an adapter knows of the request that it is to send. */
export interface Asked<Answer> {
  readonly sender: Sender<Answer>
  readonly method: string
  readonly target: () => CallTarget
  readonly signal: AbortSignal | null | undefined
  readonly replayable: () => boolean
  /** Looks a request header up. */
  readonly header: (name: string) => string | null | undefined
}

/** A request, and what its caller and the client say of it, in the words of the house. */
export function callSpec<Answer>(
  { sender, method, target, signal, replayable, header }: Asked<Answer>,
  options: CallOptions | undefined,
  settings: CallSettings,
): CallSpec<Answer> {
  return {
    sender,
    target,
    requestClass: requestClass({
      method,
      idempotent: given(options, 'idempotent', options?.idempotent),
      idempotencyKey: given(options, 'idempotencyKey', options?.idempotencyKey),
      header,
    }),
    replayable,
    signal,
    resumes: mayResume(method, settings),
    limits: settings.limits,
    retry: settings.retry,
    hedge: settings.hedge,
    throwOnStatus: settings.throwOnStatus,
    dispatcher: settings.dispatcher,
  }
}
