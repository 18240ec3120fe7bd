/** Secrets that are planted everywhere, and a net that catches everything that offhook says. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { explain } from 'offhook'
import { channelNames } from '../../src/telemetry/channels.js'

/** Places of a request and of an answer in which a secret may travel, each with one of its own. */
const places = [
  ...['user', 'password', 'query', 'fragment', 'authorization', 'cookie', 'proxyauth', 'apikey', 'idempotency', 'body'],
  ...['proxyuser', 'proxypassword', 'setcookie', 'answerheader', 'answerbody', 'location', 'reason', 'challenge'],
] as const
export type Place = (typeof places)[number]

/** @param salt makes them different from run to run; letters and digits */
export function plant(salt: string): Record<Place, string> {
  return Object.fromEntries(places.map((place) => [place, `sEcr3t${salt}${place}`])) as Record<Place, string>
}

/** What carries secrets in a request. */
export function headersWith(secrets: Record<Place, string>): Record<string, string> {
  return {
    authorization: `Bearer ${secrets.authorization}`,
    cookie: `session=${secrets.cookie}`,
    'x-api-key': secrets.apikey,
  }
}

/** The secrets that a text holds, plain or in Base64. */
export function leaks(text: string, secrets: Record<Place, string>): string[] {
  const base64 = (secret: string) => Buffer.from(secret).toString('base64').slice(2, -4)
  return Object.entries(secrets)
    .filter(([, secret]) => text.includes(secret) || text.includes(base64(secret)))
    .map(([place, secret]) => `${place}: …${around(text, secret)}…`)
}

function around(text: string, secret: string): string {
  const at = text.indexOf(secret)
  return text.slice(Math.max(0, at - 80), at + 60)
}

/**
 * Everything that an error says. Its raw `cause` is what others made and stays as it is, so the object is not taken apart
 * there; what is printed of the cause is.
 */
export function said(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = Object.getOwnPropertyNames(error).filter((name) => name !== 'cause' && name !== 'response')
  return [
    error.message,
    error.stack,
    String(error),
    JSON.stringify(error),
    inspect(error, { depth: 20, showHidden: true, getters: true }),
    inspect({ error }, { depth: 20 }),
    explain(error),
    ...own.map((name) => everything((error as unknown as Record<string, unknown>)[name])),
    everything((error as { diagnosis?: unknown }).diagnosis),
  ].join('\n')
}

function everything(value: unknown): string {
  if (value instanceof Error) return said(value)
  return inspect(value, { depth: 20, showHidden: true, maxArrayLength: null, maxStringLength: null })
}

/** Listens to all channels. */
export class Net implements Disposable {
  readonly #heard: string[] = []
  readonly #hear = (message: unknown) => {
    // An error's cause is the raw one here as well.
    const { error, ...rest } = message as { error?: unknown }
    this.#heard.push(everything(rest), said(error))
  }

  constructor() {
    for (const name of Object.values(channelNames)) subscribe(name, this.#hear)
  }

  get text(): string {
    return this.#heard.join('\n')
  }

  [Symbol.dispose](): void {
    for (const name of Object.values(channelNames)) unsubscribe(name, this.#hear)
  }
}

export { everything }
