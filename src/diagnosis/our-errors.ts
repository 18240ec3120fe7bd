/** Reads the name of an error that is offhook's own, of this copy of the package or another, back into a failure. */

import { deliveries, type Failure, failureKinds, mayHaveExecuted, phases, type TlsTrouble } from '../failure/kinds.js'
import { isBranded } from '../failure/offhook-error.js'
import { read } from '../failure/property.js'
import type { ErrorFacts } from './error-chain.js'

const troubles: readonly TlsTrouble[] = ['certificate', 'mismatch', 'alert', 'handshake']

/** The failure that an offhook error stands for; `undefined` for all others, and for what only pretends to be one. */
export function failureOfOurs({ value, code, errno, syscall }: ErrorFacts): Failure | undefined {
  if (!isBranded(value)) return undefined
  const kind = oneOf(failureKinds, read(value, 'kind'))
  const phase = oneOf(phases, read(value, 'phase'))
  const delivery = oneOf(deliveries, read(value, 'delivery'))
  if (kind === undefined || phase === undefined || delivery === undefined) return undefined
  const tls = oneOf(troubles, read(value, 'trouble'))
  // A call is not unsent because its last attempt was: one before it may have been executed.
  const heard = read(value, 'mayHaveExecuted') === true && !mayHaveExecuted(delivery)
  return {
    kind,
    phase,
    delivery: heard ? 'unknown' : delivery,
    ...(code !== undefined && { code }),
    ...(errno !== undefined && { errno }),
    ...(syscall !== undefined && { syscall }),
    ...fieldsOf(value),
    ...(tls !== undefined && { tls }),
    ...(read(value, 'advice') === 'do-not-retry' && { advice: 'do-not-retry' }),
    ...(read(value, 'stopReason') === 'permanent' && { permanent: true }),
    cause: read(value, 'cause'),
  }
}

const fieldTypes = {
  temporary: 'boolean',
  http2: 'string',
  proxyStatus: 'number',
  status: 'number',
  admission: 'string',
} as const

function fieldsOf(value: unknown): Partial<Failure> {
  const fields = Object.entries(fieldTypes).map(([name, type]) => [name, read(value, name), type] as const)
  return Object.fromEntries(fields.flatMap(([name, found, type]) => (typeof found === type ? [[name, found]] : [])))
}

function oneOf<T extends string>(words: readonly T[], value: unknown): T | undefined {
  return words.find((word) => word === value)
}
