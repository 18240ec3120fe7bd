/** The error of a call, with the means to say who hung up when somebody asks it. */

import { attribute } from '../diagnosis/attribute.js'
import { attributeDatagram } from '../diagnosis/datagrams.js'
import { type AnyOffhookError, errorOf } from '../failure/errors.js'
import type { OffhookErrorDetails } from '../failure/offhook-error.js'

/** Makes the error of the failure's kind. Nothing is diagnosed until its `diagnosis` is read. */
export function explainedError(
  details: Omit<OffhookErrorDetails, 'diagnose'> & { readonly response?: unknown },
): AnyOffhookError {
  return errorOf({ diagnose: details.method === 'datagram' ? diagnoseDatagram : attribute, ...details })
}

/** A name that has no address is a matter of neither. */
const diagnoseDatagram: typeof attribute = (failure, evidence, attempts) =>
  attributeDatagram(failure, evidence) ?? attribute(failure, evidence, attempts)
