/** Each example is run as it stands, and says what it should. */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { expect, test, vi } from 'vitest'

const folder = fileURLToPath(new URL('../../examples', import.meta.url))

/** What each of them prints. */
const prints: Readonly<Record<string, readonly string[]>> = {
  'fetch.ts': ['200 ok', 'the server received it 2 times'],
  'payment.ts': ['409 paid already: same key', 'paid 1 time'],
  'proxy.ts': ['refused by the proxy (407), unsent: permanent', '200 ok'],
  'request.ts': ['200 ok', '0 1'],
  'server-clients-that-leave.ts': [
    'done',
    'tired of it',
    'stopped, phase wait',
    'GET /reports/:id: closed by the client in phase wait',
    "2 1 [ 'GET /health', 'GET /reports/:id' ]",
  ],
  'socket-datagram.ts': [
    'answer to question 1 (asked 2 times)',
    'silence: heard or not? unknown',
    'nobody listens (icmp)',
  ],
  'socket-line-protocol.ts': ['ok one', 'ok two', 'reset, 2 lines to go', 'ok three', 'ok four'],
  'socket-redis-subscription.ts': [
    'subscribe news ',
    'message news item 1',
    'subscribe news ',
    'message news item 2',
    'subscribe news ',
    'message news item 3',
  ],
  'socket-server-sent-events.ts': [
    '1 event 1',
    '2 event 2',
    'reset after event 2',
    '3 event 3',
    '4 event 4',
    'reset after event 4',
  ],
  'socket-websocket.ts': ['hello 1', 'turn 1: closed', 'hello 2', 'turn 2: closed', 'hello 3'],
  'streaming-upload.ts': ['200', 'broken off, whole: 300000 bytes'],
  'telemetry.ts': ['GET reset true', 'GET 200 true', 'offhook GET 200 true offhook.decision'],
  'testing-with-msw.ts': ['200 { apples: 3 }', 'unknown 3'],
  'testing-with-the-rude-server.ts': ['the orders were placed once each'],
  'typed-catch.ts': [
    'nobody there (ECONNREFUSED): queue the order, try later',
    "hung up on in phase wait: ask for the order's state before sending it again",
    "no answer within 200 ms: ask for the order's state before sending it again",
  ],
}

test('every example is run here, and every one that is run exists', () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(prints).sort())
})

for (const [name, lines] of Object.entries(prints)) {
  test(`${name} prints what it should`, async () => {
    const printed: string[] = []
    vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => {
      printed.push(words.map((word) => (typeof word === 'string' ? word : inspect(word))).join(' '))
    })
    await import(`${folder}/${name}`)
    expect(printed).toEqual(lines)
  })

  test(`${name} is under forty lines, and imports what a user could`, () => {
    const text = readFileSync(`${folder}/${name}`, 'utf8')
    expect(text.split('\n').length).toBeLessThan(40)
    const imported = [...text.matchAll(/from '([^']+)'/g)].map(([, from]) => from)
    expect(imported.some((from) => from?.startsWith('offhook'))).toBe(true)
    for (const from of imported)
      expect(from).toMatch(
        /^(offhook(\/socket|\/server|\/testing|\/opentelemetry)?|node:.+|msw(\/node)?)$|^(undici|ws)$|-parser$|^@opentelemetry\//,
      )
  })
}
