/**
 * What the raw error says of itself: which one of a chain of causes or of an aggregate was nearest to the operating
 * system, and the words on it. Read once, at the failure; nothing is judged.
 */

import type { RawErrorFacts } from '../failure/circumstances.js'
import { isReadable, read } from '../failure/property.js'

/** Errors looked at in all: chains may be circular, and aggregates long. */
const mostErrors = 32

/**
 * Reads the error that was nearest to the operating system: the first one on the way down, causes before members, that
 * carries a system call, else the first that carries a code.
 *
 * @returns `undefined` where no error carries either
 */
export function rawErrorFacts(raw: unknown): RawErrorFacts | undefined {
  const all = errorsOf(raw)
  const nearest = all.find((error) => typeof read(error, 'syscall') === 'string') ?? all.find(hasCode)
  return nearest === undefined ? undefined : factsOf(nearest)
}

function errorsOf(raw: unknown): unknown[] {
  const found: unknown[] = []
  const next = [raw]
  while (next.length > 0 && found.length < mostErrors) {
    const error = next.shift()
    if (!isReadable(error) || found.includes(error)) continue
    found.push(error)
    next.unshift(read(error, 'cause'))
    // Of the addresses that were tried, the last one is where the dial ended.
    const members = read(error, 'errors')
    const length = read(members, 'length')
    if (typeof length !== 'number' || !Number.isSafeInteger(length)) continue
    for (let index = length - 1; index >= Math.max(0, length - mostErrors); index--) next.push(read(members, index))
  }
  return found
}

function hasCode(error: unknown): boolean {
  return typeof read(error, 'code') === 'string'
}

function factsOf(error: unknown): RawErrorFacts {
  const code = word(read(error, 'code'))
  const syscall = word(read(error, 'syscall'))
  const errno = read(error, 'errno')
  const address = read(error, 'address')
  const port = read(error, 'port')
  const message = read(error, 'message')
  return {
    ...(code !== undefined && { code }),
    ...(syscall !== undefined && { syscall }),
    ...(typeof errno === 'number' && Number.isInteger(errno) && { errno }),
    // Node writes the local end into the message when `connect(2)` itself failed.
    ...(typeof message === 'string' && / - Local \(/.test(message.slice(0, 1000)) && { localSuffix: true as const }),
    ...(typeof address === 'string' && /^[\w.:%-]{1,60}$/.test(address) && { address }),
    ...(typeof port === 'number' && Number.isInteger(port) && { port }),
  }
}

/** Codes and system calls are single words; anything else may be a text that no log should have. */
function word(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w./:-]{1,80}$/.test(value) ? value : undefined
}

// `…:sslv3 alert handshake failure:…:SSL alert number 40`; those that came with TLS 1.0's extensions lack the word.
const alertInText = /:(?:sslv3|ssl\/tls|tlsv1\d?) (?:alert )?([a-z][a-z ]{1,60}):.*SSL alert number \d/
const alertInCode = /^ERR_SSL_(?:\S*_ALERT_|TLSV1_(?=UN|BAD_CERTIFICATE_|CERTIFICATE_UN))([A-Z_]{2,60})$/

/**
 * The name of the TLS alert that an error speaks of, for example `handshake failure`; OpenSSL writes it into its
 * message and, in capitals, into Node's code.
 */
export function alertOf(raw: unknown): string | undefined {
  for (const error of errorsOf(raw)) {
    const message = read(error, 'message')
    const told = typeof message === 'string' ? alertInText.exec(message.slice(0, 1000)) : null
    if (told?.[1] !== undefined) return told[1]
    const code = read(error, 'code')
    const named = typeof code === 'string' ? alertInCode.exec(code) : null
    if (named?.[1] !== undefined) return named[1].toLowerCase().replaceAll('_', ' ')
  }
  return undefined
}
