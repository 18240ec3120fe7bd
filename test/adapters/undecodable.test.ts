/** Content that cannot be decoded fails typed, whichever way the answer took to its reader. */

import { createClient, ProtocolError, type RetryOptions } from 'offhook'
import { rudeServer } from 'offhook/testing'
import { describe, expect, test } from 'vitest'

const retries: Record<string, RetryOptions | false | undefined> = {
  'as it is': undefined,
  'retry: false': false,
  'retry: { resume: true }': { resume: true },
  "retry: { body: 'buffer' }": { body: 'buffer' },
}

const readers: Record<string, (response: Response) => Promise<unknown>> = {
  text: (response) => response.text(),
  stream: async (response) => {
    for await (const _ of response.body ?? []);
  },
}

const places = ['/broken', '/elsewhere']

const rows = Object.keys(retries).flatMap((retry) =>
  places.flatMap((place) => Object.keys(readers).map((reader) => ({ retry, place, reader }))),
)

describe('gzip that is none', () => {
  test.each(rows)('$retry, at $place, by $reader', async ({ retry, place, reader }) => {
    await using server = await rudeServer()
    server.route('/broken', () => [{ respond: { body: 'plain', headers: { 'content-encoding': 'gzip' } } }])
    server.route('/elsewhere', () => [{ respond: { status: 302, headers: { location: '/broken' } } }])
    const policy = retries[retry]
    await using client = createClient({ ...(policy !== undefined && { retry: policy }) })
    const response = await client.fetch(server.url + place)
    await expect(readers[reader]?.(response)).rejects.toBeInstanceOf(ProtocolError)
  })
})
