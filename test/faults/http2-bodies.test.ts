/** Bodies with methods that seldom have one, to a server that speaks HTTP/2: they arrive, and nobody is left waiting. */

import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { type Client, createClient } from 'offhook'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { certificates, TEST_CA } from '../../src/testing/rude-server.js'

const server = createSecureServer({ ...certificates.good, allowHTTP1: true }, (request, response) => {
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => {
    body += chunk
  })
  request.on('end', () => response.end(`${request.method} ${body}`))
})
let client: Client
let url = ''

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `https://localhost:${(server.address() as AddressInfo).port}/`
  client = createClient({ http2: true, connections: 1, tls: { ca: TEST_CA } })
})
afterAll(async () => {
  await client.close()
  server.close()
})

describe.each(['PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'])('%s', (method) => {
  test('with a body, by request and by fetch', async () => {
    const { body } = await client.request(url, { method, body: 'seven' })
    expect(await body.text()).toBe(`${method} seven`)
    const response = await client.fetch(url, { method, body: 'seven' })
    expect(await response.text()).toBe(`${method} seven`)
  })

  test('without one, among others on the same connection', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const { body } = await client.request(url, index % 2 === 0 ? { method } : { method, body: 'x' })
        return body.text()
      }),
    )
    expect(answers).toEqual(answers.map((_, index) => `${method} ${index % 2 === 0 ? '' : 'x'}`))
  })
})

test('GET with a body', async () => {
  const { body } = await client.request(url, { method: 'GET', body: 'seven' })
  expect(await body.text()).toBe('GET seven')
})
