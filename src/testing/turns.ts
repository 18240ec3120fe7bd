import type { Script, Step, Turns } from './script.js'

/** What has turns of its own; see {@link Turns}. */
export interface TurnOptions {
  /**
   * Default: `'connection'` if one of the scripts acts before a request has come (stages `accept`, `clientHello`, `open`, or a
   * certificate), for then there is no request to count by; else `'request-id'`.
   */
  readonly per?: Turns['per']
}

/**
 * One script after the other, the last one for ever.
 *
 * @example
 * ```ts
 * import { inTurn, misdeeds, rudeServer } from 'offhook/testing'
 *
 * await using server = await rudeServer({
 *   script: inTurn([misdeeds['fin-after-request'], misdeeds['status-503'], [{ respond: { body: 'at last' } }]]),
 * })
 * console.log(server.url)
 * ```
 */
export function inTurn(scripts: readonly (Script | readonly Step[])[], options: TurnOptions = {}): Turns {
  const turns = scripts.map(asScript)
  return { turns, per: options.per ?? (turns.some(actsBeforeRequest) ? 'connection' : 'request-id') }
}

/**
 * Fails so many times, then behaves (or does what `then` says). Counted per request id, method and path; for requests without
 * the id header (`x-request-id`) per method and path, so that two of them share the failures. Per connection where a script acts
 * before a request has come. What it returns is plain data: `{ ...failTimes(2, script), per: 'server' }` counts otherwise.
 *
 * @example
 * ```ts
 * import { failTimes, misdeeds, rudeServer } from 'offhook/testing'
 *
 * await using server = await rudeServer({ script: failTimes(2, misdeeds['status-503-retry-after']) })
 * console.log(server.url)
 * ```
 */
export function failTimes(times: number, script: Script | readonly Step[], then: Script | readonly Step[] = {}): Turns {
  if (!Number.isInteger(times) || times < 0 || times > 100_000) {
    throw new TypeError(`failTimes: times must be an integer from 0 to 100000, got ${String(times)}`)
  }
  return inTurn([...Array<Script | readonly Step[]>(times).fill(script), then])
}

/**
 * One status after the other, the last one for ever.
 *
 * @example
 * ```ts
 * import { rudeServer, statuses } from 'offhook/testing'
 *
 * await using server = await rudeServer({ script: statuses([429, 503, 200]) })
 * console.log(server.url)
 * ```
 */
export function statuses(list: readonly number[], options: TurnOptions = {}): Turns {
  return inTurn(
    list.map((status) => [{ respond: { status } }]),
    options,
  )
}

/**
 * Answers with a redirect. 303 executes the request, the others don't.
 *
 * @example
 * ```ts
 * import { redirectTo, rudeServer } from 'offhook/testing'
 *
 * await using server = await rudeServer()
 * server.route('POST /orders', redirectTo('/orders/1', 303))
 * ```
 */
export function redirectTo(location: string, status: 301 | 302 | 303 | 307 | 308 = 302): Script {
  return { request: [{ respond: { status, headers: { location } } }] }
}

/** A script in full: a bare array is its stage `request`. */
export function asScript(script: Script | readonly Step[]): Script {
  return isSteps(script) ? { request: script } : script
}

/** Whether a script does something before a request has come, so that it must be chosen for a connection. */
export function actsBeforeRequest(script: Script): boolean {
  return Boolean(script.accept ?? script.clientHello ?? script.open ?? script.certificate)
}

// Array.isArray alone doesn't narrow a union with a readonly array.
function isSteps(script: Script | readonly Step[]): script is readonly Step[] {
  return Array.isArray(script)
}
