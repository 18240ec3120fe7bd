/** The fetch that Node itself brings, and the headers that it sends without being asked. */

import { type AnyHandler, speaksNew } from '../wire/handler-shapes.js'

/** A fetch, whoever made it. */
export type HostFetch = (input: string | URL | Request, init?: object) => Promise<Response>

/** The fetch of this process before anybody replaced it, by us for instance. */
const nativeFetch: HostFetch | undefined = globalThis.fetch as HostFetch | undefined
/** Node's is undici, and brings everything that needs a network to our dispatcher. Deno's and Bun's go ways of their own. */
export const obedientFetch: HostFetch | undefined = process.versions['undici'] === undefined ? undefined : nativeFetch
const ours = new WeakSet<object>()

/** Remembers that a fetch is one of ours, so that it is never taken for its own host. */
export function noteOurs(fetch: object): void {
  ours.add(fetch)
}

/** The fetch that calls are made with now. */
export function globalFetch(): HostFetch {
  const current = globalThis.fetch as HostFetch | undefined
  // `globalThis.fetch = client.fetch` must not make it call itself.
  const chosen = current === undefined || ours.has(current) ? nativeFetch : current
  if (chosen === undefined) throw new TypeError('there is no global fetch here; give one to createClient({ fetch })')
  return chosen
}

/** What the native fetch adds to a request's own headers, in its order: some before the length of the body, some after. */
export interface Habits {
  readonly before: Readonly<Record<string, string>>
  readonly after: Readonly<Record<string, string>>
  /** All of it, as a request without headers and body is sent. */
  readonly bare: Readonly<Record<string, string>>
}

/** `undefined` while it is being asked, or where it would not go. */
const known = new Map<string, Habits | undefined>()

/** Above it no port is refused (Fetch, "bad port"). */
const highestBadPort = 10080
/** What counts as safe without TLS (Secure Contexts §3.1): Node 26 tells such a server more. */
const thisHost = /^(?:localhost|.*\.localhost|127\..*|\[::1\])$/

/**
 * What the native fetch of this process sends there. It is asked once for each kind of place, since it sends other headers
 * over TLS and to this host, and refuses some ports. Until it has told, and where it does something new, the answer is
 * `undefined`.
 */
export function nativeHabits({ protocol, hostname, port, origin }: URL): Habits | undefined {
  const own = protocol === 'http:' && thisHost.test(hostname) ? 'own' : ''
  const place = protocol + own + (Number(port) > highestBadPort ? '' : port)
  const habits = known.get(place)
  if (habits === undefined && !known.has(place)) {
    known.set(place, undefined)
    void learn(place, origin)
  }
  return habits
}

async function learn(place: string, url: string): Promise<void> {
  const ear = new Ear()
  // It fails in any case: nothing is sent.
  await obedientFetch?.(url, { method: 'POST', body: ' ', dispatcher: ear }).catch(() => {})
  if (ear.headers !== undefined) known.set(place, habitsOf(ear.headers))
}

/** A dispatcher that sends nothing and hears what it was to send. */
class Ear {
  headers: Record<string, string> | undefined

  dispatch({ headers }: { readonly headers: Record<string, string> }, handler: AnyHandler): true {
    this.headers = headers
    const enough = new Error('nothing is to be sent')
    if (speaksNew(handler)) handler.onResponseError?.(undefined, enough)
    else handler.onError?.(enough)
    return true
  }
}

const habitual = new Set(['accept', 'accept-language', 'accept-encoding', 'user-agent', 'sec-fetch-mode'])

function habitsOf(headers: Record<string, string>): Habits | undefined {
  const before: Record<string, string> = {}
  const after: Record<string, string> = {}
  let side = before
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'content-length') side = after
    else if (habitual.has(name)) side[name] = value
    // A header that nobody here has heard of may depend on the request.
    else if (name !== 'content-type') return undefined
  }
  return { before, after, bare: { ...before, ...after } }
}
