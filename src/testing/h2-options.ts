import { check, oneOf, whole } from './check-script.js'
import type { H2Behaviour } from './h2-script.js'
import { entriesOf } from './server-options.js'

/** How a rude HTTP/2 server is started. */
export interface RudeH2Options {
  /** What it does; default: it answers every request with 200 and the text `ok`. */
  readonly script?: H2Behaviour
  /** Offers HTTP/1.1 beside HTTP/2 (ALPN), and behaves there. Default false: HTTP/2 or nothing. */
  readonly http1?: boolean
  /** Default `'127.0.0.1'`. It never listens on anything but loopback. */
  readonly host?: '127.0.0.1' | '::1'
  /** Default 0: any that is free. */
  readonly port?: number
  /** The header that tells which request this is; default `x-request-id`. */
  readonly idHeader?: string
}

const optionRules: Readonly<Record<string, { allowed: string; fits: (value: unknown) => boolean }>> = {
  script: { allowed: 'a script, a list of steps, or turns', fits: () => true },
  http1: oneOf(true, false),
  host: oneOf('127.0.0.1', '::1'),
  port: whole(0, 65_535),
  idHeader: { allowed: 'a header name', fits: (value) => typeof value === 'string' && /^[\w-]+$/.test(value) },
}

/** Throws a TypeError that names the option that is wrong. */
export function checkOptions(options: RudeH2Options): void {
  for (const [name, value] of entriesOf(options, 'rudeH2Server')) {
    const rule = Object.hasOwn(optionRules, name) ? optionRules[name] : undefined
    if (rule === undefined)
      throw new TypeError(`rudeH2Server: unknown option '${name}', allowed are ${Object.keys(optionRules).join(', ')}`)
    if (value !== undefined) check(rule, value, `rudeH2Server: option ${name}`)
  }
}
