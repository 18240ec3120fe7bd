import { createSecureContext, type SecureContext } from 'node:tls'
import { type CertificateName, certificates, type KeyPair } from './certificates.js'
import { check, oneOf, whole } from './check-script.js'
import type { Behaviour } from './script.js'

/** How a rude server is started. */
export interface RudeServerOptions {
  /** What it does; default: it answers every request with 200 and the text `ok`. */
  readonly script?: Behaviour
  /** Speaks TLS: with the built-in certificate for localhost, 127.0.0.1 and ::1, or with yours (PEM). Default false. */
  readonly tls?: boolean | KeyPair
  /** Default `'127.0.0.1'`. It never listens on anything but loopback. */
  readonly host?: '127.0.0.1' | '::1'
  /** Default 0: any that is free. */
  readonly port?: number
  /** The header that tells which request this is; default `x-request-id`. */
  readonly idHeader?: string
  /** A longer body is refused with 413. In bytes; default 256 MiB. (Bodies are digested, not kept.) */
  readonly maxBodyBytes?: number
}

/** The server's own TLS context, made at once so that bad PEM is told at the start; the others when they are first needed. */
export function secureContexts(tls: true | KeyPair): (certificate?: CertificateName) => SecureContext {
  const own = tls === true ? certificates.good : tls
  const made = new Map([[own, createSecureContext(own)]])
  return (certificate) => {
    const pair = certificate ? certificates[certificate] : own
    const context = made.get(pair) ?? createSecureContext(pair)
    made.set(pair, context)
    return context
  }
}

const TLS_RULE = {
  allowed: 'true, false or { key, cert } in PEM',
  fits: (value: unknown) => {
    if (typeof value !== 'object' || value === null) return typeof value === 'boolean'
    const { key, cert } = value as Partial<KeyPair>
    return typeof key === 'string' && typeof cert === 'string'
  },
}

const OPTION_RULES: Readonly<Record<string, { allowed: string; fits: (value: unknown) => boolean }>> = {
  script: { allowed: 'a script, a list of steps, turns or a function', fits: () => true },
  tls: TLS_RULE,
  host: oneOf('127.0.0.1', '::1'),
  port: whole(0, 65_535),
  idHeader: {
    allowed: 'a header name',
    fits: (value) => typeof value === 'string' && /^[!#$%&'*+\-.^_`|~\w]+$/.test(value),
  },
  maxBodyBytes: whole(0, Number.MAX_SAFE_INTEGER),
}

/** Throws a TypeError that names the option that is wrong, what was given and what is allowed. */
export function checkOptions(options: RudeServerOptions): void {
  for (const [name, value] of entriesOf(options, 'rudeServer')) {
    if (value === undefined) continue
    const rule = Object.hasOwn(OPTION_RULES, name) ? OPTION_RULES[name] : undefined
    if (!rule)
      throw new TypeError(`rudeServer: unknown option '${name}', allowed are ${Object.keys(OPTION_RULES).join(', ')}`)
    check(rule, value, `rudeServer: option ${name}`)
  }
}

/** The options of a server, read. A getter or a proxy among them may throw. */
export function entriesOf(options: object, server: string): [string, unknown][] {
  if (typeof options !== 'object' || options === null) throw new TypeError(`${server}: options must be an object`)
  try {
    return Object.entries(options)
  } catch (cause) {
    throw new TypeError(`${server}: the options cannot be read`, { cause })
  }
}
