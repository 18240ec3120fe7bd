// Redirects do not carry credentials to other origins: not on the first attempt, not on a repeated one, not from https to http.

import { createClient } from 'offhook'
import { inTurn, type RudeServer, redirectTo, rudeServer } from 'offhook/testing'
import { expect, test } from 'vitest'

const credentials = { authorization: 'Bearer secret', cookie: 'id=secret', 'proxy-authorization': 'Basic secret' }
const others = { 'x-request-id': 'call-1' }

/** The headers of each request that came to a path. */
const came = (server: RudeServer, path: string) =>
  server.ledger
    .entries()
    .filter((entry) => entry.path.startsWith(path))
    .flatMap(({ arrivals }) => arrivals.map(({ headers }) => headers))
const names = (headers: Record<string, string> | undefined) =>
  Object.keys(headers ?? {}).filter((name) => name in credentials || name === 'idempotency-key')

const ways = {
  fetch: async (client: ReturnType<typeof createClient>, url: string, init: object) =>
    await (await client.fetch(url, init)).text(),
  request: async (client: ReturnType<typeof createClient>, url: string, init: object) =>
    await (await client.request(url, { ...init, maxRedirections: 3 })).body.text(),
} as const

const cases = (['fetch', 'request'] as const).flatMap((way) =>
  ([302, 303, 307, 308] as const).flatMap((status) =>
    (['another port', 'https to http', 'here'] as const).map((to) => ({ way, status, to })),
  ),
)

test.each(cases)('$way, $status, $to', async ({ way, status, to }) => {
  await using first = await rudeServer({ tls: to === 'https to http' })
  await using elsewhere = await rudeServer()
  const last = to === 'here' ? first : elsewhere
  // The end of the first way round is lost, so that the whole of it is repeated.
  last.route('/end', inTurn([[{ read: 'request' }, 'rst'], {}], { per: 'server' }))
  first.route('/start', redirectTo(`${last.url}/end`, status))
  await using client = createClient({
    retry: { backoff: { base: 1, cap: 2 } },
    ...(first.ca !== undefined && { tls: { ca: first.ca } }),
  })
  const init = { method: 'PUT', headers: { ...credentials, ...others }, body: 'one', idempotencyKey: 'key-1' }
  await ways[way](client, `${first.url}/start`, init).catch(() => undefined)

  const starts = came(first, '/start')
  const ends = came(last, '/end')
  expect(starts.length).toBeGreaterThan(0)
  for (const headers of starts) expect(names(headers)).toContain('authorization')
  expect(ends.length).toBeGreaterThan(0)
  for (const headers of ends) {
    if (to === 'here') expect(headers['authorization']).toBe('Bearer secret')
    // The key is no credential: it goes along with the request whose repetition it guards.
    else expect(names(headers).filter((name) => name !== 'idempotency-key')).toEqual([])
    expect(headers['idempotency-key']).toBe('key-1')
  }
})

test("a proxy's credentials are not for origins, whichever way a redirect leads", async () => {
  await using elsewhere = await rudeServer()
  await using proxy = await rudeServer()
  // It passes requests on, or so it seems: it answers them itself.
  proxy.on([{ respond: { status: 302, headers: { location: `${elsewhere.url}/end` } } }])
  await using client = createClient({
    proxy: { url: proxy.url.replace('//', '//user:secret@'), noProxy: ['127.0.0.1'] },
    retry: false,
  })
  await (await client.fetch('http://origin.test/start')).text()
  const asked = proxy.ledger.entries().flatMap(({ arrivals }) => arrivals.map(({ headers }) => headers))
  expect(asked.map((headers) => 'proxy-authorization' in headers)).toEqual([true])
  expect(came(elsewhere, '/end').map((headers) => names(headers))).toEqual([[]])
})
