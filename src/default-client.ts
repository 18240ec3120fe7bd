/** `fetch` and `request` without a client of one's own: one default client, made when first used. */

import type { FetchFunction } from './adapters/fetch.js'
import type { RequestFunction } from './adapters/request.js'
import { type Client, createClient } from './client.js'

let client: Client | undefined

function defaultClient(): Client {
  client ??= createClient()
  return client
}

/**
 * The global fetch, with typed errors and safe retries: {@link Client.fetch} of a default client.
 *
 * @example
 * ```ts
 * import { ConnectionResetError, fetch } from 'offhook'
 *
 * try {
 *   const response = await fetch('https://api.example.com/orders', { method: 'POST', body: '{}', idempotencyKey: 'order-7' })
 *   console.log(response.status)
 * } catch (error) {
 *   if (error instanceof ConnectionResetError) console.error(error.mayHaveExecuted, error.message)
 *   else throw error
 * }
 * ```
 */
export const fetch: FetchFunction = (input, init) => defaultClient().fetch(input, init)

/**
 * undici's request, with typed errors and safe retries: {@link Client.request} of a default client.
 *
 * @example
 * ```ts
 * import { request } from 'offhook'
 *
 * const { body } = await request('https://api.example.com/health', { timeout: 2_000 })
 * console.log(await body.json())
 * ```
 */
export const request: RequestFunction = (url, options) => defaultClient().request(url, options)
