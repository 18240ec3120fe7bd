/** A probe of the drop-in promise, and what is written down about its end so that two ends can be compared. */

import { createHash } from 'node:crypto'
import { type FailureKind, isOffhookError } from 'offhook'

/** fetch as probes call it: what they hand over is often wrong on purpose. */
export type AnyFetch = (input?: unknown, init?: unknown) => Promise<Response>

export interface Place {
  /** The server's origin. */
  readonly url: string
  /** Another server's, of another origin. */
  readonly other: string
  /** A port on which nobody listens. */
  readonly nobody: string
}

export interface Probe {
  readonly name: string
  /**
   * Does it. A Response is compared with its body and everything else about it; any other value as it is; a rejection by
   * class, name and message.
   */
  ask(fetch: AnyFetch, place: Place): Promise<unknown>
  /** Where bare fetch says no more than `fetch failed` or `terminated`: the kind of the TypeError that offhook throws. */
  readonly fails?: FailureKind
  /** The code that may stand at the bottom in place of bare fetch's. */
  readonly cause?: string
  /** What it may resolve to as well: with the reason that the fetch of Node 20 and 22 forgets while nobody reads. */
  readonly better?: unknown
  /** Our own side breaks off while the request goes out: what the server sees of it is chance. */
  readonly races?: true
}

/** What is written down about an end. Plain data. */
export interface End {
  readonly resolved?: unknown
  readonly rejected?: { readonly message?: string; readonly kind?: FailureKind; readonly cause?: unknown }
}

export async function record(probe: Probe, fetch: AnyFetch, place: Place): Promise<End> {
  try {
    const end = await probe.ask(fetch, place)
    return { resolved: end instanceof Response ? await describe(end, place) : calm(end, place) }
  } catch (error) {
    return { rejected: describeError(error, place) }
  }
}

/** Everything that a Response shows. Reads its body. */
export async function describe(response: Response, place: Place): Promise<object> {
  const { status, statusText, ok, url, redirected, type, bodyUsed } = response
  const hadBody = response.body !== null
  const bytes = Buffer.from(await response.arrayBuffer())
  return {
    ...{ status, statusText, ok, url: calm(url, place), redirected, type, bodyUsed, hadBody },
    headers: [...response.headers]
      .filter(([name]) => name !== 'date')
      .map(([name, value]) => [name, calm(value, place)]),
    cookies: response.headers.getSetCookie(),
    body: shorten(bytes),
    usedAfterwards: response.bodyUsed,
    isResponse: response instanceof Response,
    headersAreHeaders: response.headers instanceof Headers,
  }
}

/** A body, or its digest. */
export function shorten(bytes: Buffer): string {
  const text = bytes.toString('latin1').replaceAll(/formdata-undici-0\d+/g, 'BOUNDARY')
  return text.length <= 300 ? text : `${bytes.length} bytes, ${digest(Buffer.from(text))}`
}

export function digest(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex')
}

/** What a `catch` block can tell errors apart by. */
export function describeError(error: unknown, place: Place): object {
  if (!(error instanceof Error)) return { thrown: error }
  return {
    name: isOffhookError(error) ? 'TypeError' : error.name,
    isTypeError: error instanceof TypeError,
    isDomException: error instanceof DOMException,
    ...(isOffhookError(error) ? { kind: error.kind } : { message: calm(error.message, place) }),
    cause: bottom(error),
  }
}

/** The code, or the text, of the error at the bottom: where a `catch` block looks for `ECONNREFUSED`. */
function bottom(error: Error): unknown {
  let last: { cause?: unknown; code?: unknown; message?: unknown } = error
  while (last.cause !== undefined && last.cause !== null) last = last.cause as typeof last
  if (last === error) return undefined
  return last.code ?? last.message
}

/** The two places have different ports, and each form has a boundary of its own; nothing else may differ. */
export function calm<T>(value: T, place: Place): T {
  const ports = [place.url, place.other, place.nobody].map((url) => new URL(url).port)
  const text = ports.reduce(
    (text, port, index) => text.replaceAll(new RegExp(`127\\.0\\.0\\.1(:|%(?:25)*3A)${port}`, 'g'), `SERVER${index}`),
    (JSON.stringify(value) ?? 'null').replaceAll(/formdata-undici-0\d+/g, 'BOUNDARY'),
  )
  return (value === undefined ? value : JSON.parse(text)) as T
}
