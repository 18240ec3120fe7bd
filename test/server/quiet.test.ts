/** What is no hang-up, however much it looks like one. */

import type * as http from 'node:http'
import type * as http2 from 'node:http2'
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { LeavingClient, until } from './leaving-client.js'
import { type Protocol, type Watched, watched } from './watched.js'

interface Row {
  readonly name: string
  /** What the client says, and what it waits to hear. */
  readonly say: string
  readonly hears: string
  readonly leave: 'fin' | 'rst' | 'half'
  readonly requests: number
  readonly set?: (server: http.Server) => void
}

const head = (line: string, ...more: string[]) => [line, 'host: localhost', ...more, '', ''].join('\r\n')
const get = (path: string, ...more: string[]) => head(`GET ${path} HTTP/1.1`, ...more)

const rows: readonly Row[] = [
  { name: 'an idle connection is closed', say: get('/ok'), hears: 'ok', leave: 'fin', requests: 1 },
  { name: 'an idle connection is reset', say: get('/ok'), hears: 'ok', leave: 'rst', requests: 1 },
  { name: 'half-closed after the answer', say: get('/ok'), hears: 'ok', leave: 'half', requests: 1 },
  { name: 'HEAD', say: head('HEAD /ok HTTP/1.1'), hears: '\r\n\r\n', leave: 'fin', requests: 1 },
  { name: '204', say: get('/none'), hears: '\r\n\r\n', leave: 'fin', requests: 1 },
  { name: 'connection: close', say: get('/ok', 'connection: close'), hears: 'ok', leave: 'fin', requests: 1 },
  { name: 'HTTP/1.0', say: head('GET /ok HTTP/1.0'), hears: 'ok', leave: 'fin', requests: 1 },
  {
    name: 'three in a pipeline',
    say: get('/ok') + get('/none') + get('/last'),
    hears: 'last',
    leave: 'fin',
    requests: 3,
  },
  {
    name: 'a body that is taken',
    say: `${head('POST /take HTTP/1.1', 'content-length: 4')}abcd`,
    hears: 'taken',
    leave: 'fin',
    requests: 1,
  },
  {
    name: 'a line end behind the body',
    say: `${head('POST /take HTTP/1.1', 'content-length: 4')}abcd\r\n`,
    hears: 'taken',
    leave: 'fin',
    requests: 1,
  },
  {
    name: 'a body that nobody reads, and that is never whole',
    say: `${head('POST /ok HTTP/1.1', 'content-length: 400000')}${'x'.repeat(200_000)}`,
    hears: 'ok',
    leave: 'fin',
    requests: 1,
  },
  {
    name: '100-continue',
    say: `${head('POST /take HTTP/1.1', 'expect: 100-continue', 'content-length: 4')}abcd`,
    hears: 'taken',
    leave: 'fin',
    requests: 1,
  },
  {
    name: '100-continue that the handler grants',
    say: `${head('POST /take HTTP/1.1', 'expect: 100-continue', 'content-length: 4')}abcd`,
    hears: 'taken',
    leave: 'fin',
    requests: 1,
    set: (server) =>
      server.on('checkContinue', (request, response) => {
        response.writeContinue()
        server.emit('request', request, response)
      }),
  },
  {
    name: 'an expectation that is not met',
    say: head('GET /ok HTTP/1.1', 'expect: wonders'),
    hears: '417',
    leave: 'fin',
    requests: 1,
  },
  {
    name: 'an upgrade, and then another language',
    say: get('/ok', 'connection: upgrade', 'upgrade: chat'),
    hears: '101 Switching',
    leave: 'rst',
    requests: 0,
    set: (server) => server.on('upgrade', (_request, socket: Socket) => chat(socket)),
  },
  {
    name: 'CONNECT, and then another language',
    say: head('CONNECT example.com:443 HTTP/1.1'),
    hears: '101 Switching',
    leave: 'fin',
    requests: 0,
    set: (server) => server.on('connect', (_request, socket: Socket) => chat(socket)),
  },
  {
    name: 'an upgrade that nobody takes',
    say: get('/ok', 'connection: upgrade', 'upgrade: chat'),
    hears: 'ok',
    leave: 'fin',
    requests: 1,
  },
  {
    name: 'what is no HTTP',
    say: 'SSH-2.0-nobody\r\n\r\n',
    hears: '400 Bad Request',
    leave: 'fin',
    requests: 0,
  },
  {
    name: 'half-closed while it waits, where the server bears with it',
    say: get('/soon'),
    hears: 'soon',
    leave: 'half',
    requests: 1,
    set: (server) => Object.assign(server, { httpAllowHalfOpen: true }),
  },
]

function chat(socket: Socket): void {
  socket.on('error', () => {}).on('end', () => socket.end())
  socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: chat\r\nconnection: upgrade\r\n\r\n')
  socket.on('data', () => socket.write('and the beginning of an answer'))
}

async function quiet(server: Watched, requests: number): Promise<void> {
  await until(() => server.watch.stats().connections === 0, 'the end of the connection')
  expect(server.hangups).toEqual([])
  expect(server.watch.stats()).toMatchObject({ inFlight: 0, requests, hangups: 0, cutByServer: 0 })
  for (const signal of server.signals) expect(signal.aborted).toBe(false)
}

const cases = (['http', 'https'] as const).flatMap((protocol) => rows.map((row) => ({ protocol, ...row })))

describe('no alarm', () => {
  test.each(cases)('$protocol: $name', async ({ protocol, say, hears, leave, requests, set }) => {
    await using server = await watched(protocol)
    set?.(server.server as http.Server)
    const client = await LeavingClient.to(protocol, server.port)
    client.say(say)
    if (leave === 'half' && hears === 'soon') {
      await until(() => server.watch.stats().inFlight === 1, 'the request')
      client.leave('half')
      server.release()
    }
    await until(() => client.heard.includes(hears), 'the answer')
    if (hears.includes('101')) client.say('hello')
    client.leave(leave)
    await quiet(server, requests)
    client.close()
  })

  test.each(['h2c', 'h2'] as const)('%s: streams that are answered, with a body and without', async (protocol) => {
    await using server = await watched(protocol)
    const client = await LeavingClient.to(protocol, server.port)
    client.ask('/ok')
    await until(() => client.heard.includes('ok'), 'the answer')
    client.ask('/ok', { method: 'HEAD' })
    client.ask('/none')
    client.ask('/take', { method: 'POST', body: 'abcd' })
    client.endBody()
    await until(() => client.heard.includes('taken') && server.watch.stats().inFlight === 0, 'the answers')
    client.leave('goodbye')
    await quiet(server, 4)
    client.close()
  })

  test.each(['h2c', 'h2'] as const)('%s: an early answer to a body that is never whole', async (protocol) => {
    await using server = await watched(protocol)
    const client = await LeavingClient.to(protocol, server.port)
    client.ask('/ok', { method: 'POST', body: 'the beginning' })
    await until(() => client.heard.includes('ok'), 'the answer')
    client.leave('cancel')
    client.leave('goodbye')
    await quiet(server, 1)
    client.close()
  })

  test.each(['net', 'tls'] as const)('%s: a conversation that ends by FIN', async (protocol) => {
    await using server = await watched(protocol)
    const client = await LeavingClient.to(protocol, server.port)
    client.say('/ok\n')
    await until(() => client.heard.includes('ok') && server.watch.stats().inFlight === 0, 'the answer')
    client.leave('half')
    await quiet(server, 1)
    client.close()
  })

  test('HTTP/1 on a server that speaks HTTP/2 as well', async () => {
    await using server = await watched('h2+1')
    const client = await LeavingClient.to('https', server.port)
    client.say(get('/ok'))
    await until(() => client.heard.includes('ok'), 'the answer')
    client.leave('fin')
    await quiet(server, 1)
    client.close()
  })
})

describe('what this server ends itself', () => {
  test.each(['http', 'https', 'h2c', 'h2'] as const)(
    '%s: the handler destroys the answer',
    async (protocol: Protocol) => {
      await using server = await watched(protocol)
      const client = await LeavingClient.to(protocol, server.port)
      if (protocol.startsWith('h2')) client.ask('/ours')
      else client.say(get('/ours'))
      await until(() => server.hangups.length === 1, 'the word of it')
      expect(server.hangups[0]).toMatchObject({
        by: 'server',
        ending: 'local',
        verdict: { is: 'ours', probability: 1 },
      })
      expect(server.watch.stats()).toMatchObject({ hangups: 0, cutByServer: 1, verdicts: { ours: 1 } })
      expect(server.signals[0]?.reason).toMatchObject({ byClient: false })
      client.close()
    },
  )

  test('all connections are closed by the server', async () => {
    await using server = await watched('http')
    const client = await LeavingClient.to('http', server.port)
    client.say(get('/begun'))
    await until(() => client.heard.includes('beginning'), 'the beginning')
    ;(server.server as http.Server).closeAllConnections()
    await until(() => server.hangups.length === 1, 'the word of it')
    expect(server.hangups[0]).toMatchObject({ by: 'server', phase: 'body', verdict: { is: 'ours' } })
    client.close()
  })

  test.each([
    { name: 'head', said: 'GET /orders HTTP/1.1\r\nhost: lo', route: '(no request)' },
    { name: 'body', said: `${head('POST /swallow HTTP/1.1', 'content-length: 10')}abc`, route: 'POST /swallow' },
  ])('the server runs out of patience with a $name', async ({ said, route }) => {
    await using server = await watched(
      'http',
      {},
      { requestTimeout: 40, headersTimeout: 40, connectionsCheckingInterval: 10 },
    )
    const client = await LeavingClient.to('http', server.port)
    client.say(said)
    await until(() => server.hangups.length === 1, 'the word of it')
    const code = 'ERR_HTTP_REQUEST_TIMEOUT'
    expect(server.hangups[0]).toMatchObject({ by: 'server', phase: 'send', code, route, verdict: { is: 'ours' } })
    client.close()
  })

  test('an HTTP/2 session is destroyed by the server', async () => {
    await using server = await watched('h2c')
    const sessions: http2.ServerHttp2Session[] = []
    ;(server.server as http2.Http2Server).on('session', (session) => void sessions.push(session))
    const client = await LeavingClient.to('h2c', server.port)
    client.ask('/busy')
    await until(() => server.watch.stats().inFlight === 1, 'the request')
    sessions[0]?.destroy()
    await until(() => server.hangups.length === 1, 'the word of it')
    expect(server.hangups[0]).toMatchObject({ by: 'server', verdict: { is: 'ours' } })
    client.close()
  })
})
