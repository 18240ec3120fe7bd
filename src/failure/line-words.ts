/**
 * Words for what is not HTTP. A dial has no request, a socket no server and no body, a datagram no connection: told in
 * the words of HTTP their failures would be told wrong. What stands as the method of such an error says which it is.
 */

import type { Delivery, FailureKind, Phase } from './kinds.js'

/** Where these words are silent, those of HTTP hold. */
export interface LineWords {
  readonly happened: Partial<Record<FailureKind, string>>
  readonly during: Partial<Record<Phase, string>>
  readonly heard: Partial<Record<Delivery, string>>
  /** What is said in place of whether it was heard, after a failure of this kind. */
  readonly remark?: Partial<Record<FailureKind, string>>
}

const words: Readonly<Record<string, LineWords>> = {
  // A connection is being made, for the first time or anew.
  dial: {
    happened: { unknown: 'no connection was made, for a reason that has no name here' },
    during: { wait: 'before it had proved itself', send: 'before it had proved itself' },
    heard: {
      unsent: 'Nothing was sent',
      unknown: 'What was sent on it may have been heard',
      partial: 'Bytes had gone both ways',
    },
  },
  // A connection that stood.
  socket: {
    happened: {
      unknown: 'the connection ended for a reason that has no name here',
      protocol: 'what came is not what was agreed upon',
    },
    during: { send: 'while bytes were being sent', wait: 'while it was open' },
    heard: {
      unsent: 'Nothing had been sent on it',
      unknown: 'What was sent may have been heard; no byte had come back',
      partial: 'Bytes had gone both ways; what was sent last may have been heard',
    },
  },
  datagram: {
    happened: {
      refused: 'ICMP "port unreachable" came back for a datagram that was sent earlier',
      unreachable: 'ICMP says that there is no way there, or that the way is forbidden',
      timeout: 'no answer came',
      'local-resource': 'this host did not let the datagram out',
      unknown: 'it failed for a reason that has no name here',
    },
    during: { send: 'while sending', wait: 'while waiting for an answer' },
    heard: { unsent: 'It was not sent', unknown: 'It may have been received' },
    remark: {
      refused: "The peer's kernel, or a REJECT rule before it, says that nobody listens on that port",
      timeout:
        'Silence proves nothing: a lost datagram, a lost answer, a filter that drops, and a peer that does not answer look the same',
    },
  },
}

/** The words for errors of this method; `undefined`: those of HTTP. */
export function lineWords(method: string): LineWords | undefined {
  return Object.hasOwn(words, method) ? words[method] : undefined
}
