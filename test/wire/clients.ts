/** Clients of a test that are ended with it, and the failures that it wants to see. */

import { type Client, type ClientOptions, createClient, isOffhookError, type OffhookError } from 'offhook'
import { afterEach, expect } from 'vitest'
import { TEST_CA } from '../../src/testing/rude-server.js'

const clients: Client[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) await client.destroy()
})

/** A client without jitter that trusts the certificates of the rude server, destroyed when the test is over. */
export function clientOf(options: ClientOptions): Client {
  const client = createClient({ random: () => 0, tls: { ca: TEST_CA }, ...options })
  clients.push(client)
  return client
}

/** How a call fails; anything that is no error of offhook's fails the test. */
export async function failureOf(call: Promise<unknown>): Promise<OffhookError> {
  const error = await call.then(
    () => expect.fail('it succeeded'),
    (reason: unknown) => reason,
  )
  if (!isOffhookError(error)) throw error
  return error
}

/** An unsafe request, known to the ledger by its id. */
export const post = (id: string) => ({ method: 'POST', body: `order ${id}`, headers: { 'x-request-id': id } })
