import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type RudeServer, rudeServer, type Script, type Step } from '../../src/testing/rude-server.js'
import { type Goodbye, RawClient, request } from './raw-client.js'

const POST = request('POST', '/orders', 'r', 'hello')
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

/** What a client sees of a script when it sends POST, and what the ledger says then: began, received, executed. */
interface Row {
  name: string
  script: Script | readonly Step[]
  text: string | RegExp
  goodbye: Goodbye | 'none'
  ledger: [number, number, number]
  /** Over TLS: whether a close_notify came before the FIN. */
  closeNotify?: boolean
}

const ROWS: Row[] = [
  { name: 'nothing in particular', script: {}, text: OK, goodbye: 'none', ledger: [1, 1, 1] },
  {
    name: 'rst at accept or after the handshake',
    script: { open: ['rst'] },
    text: '',
    goodbye: 'rst',
    ledger: [0, 0, 0],
  },
  {
    name: 'fin after the handshake',
    script: { open: ['fin'] },
    text: '',
    goodbye: 'fin',
    ledger: [0, 0, 0],
    closeNotify: true,
  },
  { name: 'read some bytes, rst', script: [{ read: 16 }, 'rst'], text: '', goodbye: 'rst', ledger: [0, 0, 0] },
  { name: 'read the head, rst', script: [{ read: 'head' }, 'rst'], text: '', goodbye: 'rst', ledger: [1, 0, 0] },
  { name: 'read all, rst', script: [{ read: 'request' }, 'rst'], text: '', goodbye: 'rst', ledger: [1, 1, 0] },
  {
    name: 'read beyond the end is the end',
    script: [{ read: 100_000 }, 'execute', 'rst'],
    text: '',
    goodbye: 'rst',
    ledger: [1, 1, 1],
  },
  { name: 'execute, rst', script: ['execute', 'rst'], text: '', goodbye: 'rst', ledger: [1, 1, 1] },
  {
    name: 'execute the head alone',
    script: [{ read: 'head' }, 'execute', 'rst'],
    text: '',
    goodbye: 'rst',
    ledger: [1, 0, 1],
  },
  {
    name: 'execute twice',
    script: ['execute', 'execute', { respond: { status: 204 } }],
    text: 'HTTP/1.1 204 No Content\r\n\r\n',
    goodbye: 'none',
    ledger: [1, 1, 2],
  },
  {
    name: 'fin after the request',
    script: [{ read: 'request' }, 'fin'],
    text: '',
    goodbye: 'fin',
    ledger: [1, 1, 0],
    closeNotify: true,
  },
  {
    name: 'bare-fin after the request',
    script: [{ read: 'request' }, 'bare-fin'],
    text: '',
    goodbye: 'fin',
    ledger: [1, 1, 0],
    closeNotify: false,
  },
  {
    name: 'half-close after the request',
    script: [{ read: 'request' }, 'half-close', 'stall'],
    text: '',
    goodbye: 'fin',
    ledger: [1, 1, 0],
    closeNotify: true,
  },
  {
    name: 'close with nothing unread',
    script: [{ read: 'request' }, 'close'],
    text: '',
    goodbye: 'fin',
    ledger: [1, 1, 0],
    closeNotify: false,
  },
  { name: 'stall', script: [{ read: 'request' }, 'stall'], text: '', goodbye: 'none', ledger: [1, 1, 0] },
  { name: 'deaf', script: ['deaf'], text: '', goodbye: 'none', ledger: [0, 0, 0] },
  { name: 'wait, then the default answer', script: [{ wait: 1 }], text: OK, goodbye: 'none', ledger: [1, 1, 1] },
  { name: 'served: too few yet', script: [{ served: 1 }, 'rst'], text: OK, goodbye: 'none', ledger: [1, 1, 1] },
  { name: 'served: enough', script: [{ served: 0 }, 'rst'], text: '', goodbye: 'rst', ledger: [0, 0, 0] },
  {
    name: 'respond on the head alone executes nothing',
    script: [{ read: 'head' }, { respond: { status: 200, close: true } }],
    text: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
    goodbye: 'fin',
    ledger: [1, 0, 0],
  },
  {
    name: 'inform, then the default answer',
    script: [{ inform: 103, headers: { link: '</a>' } }],
    text: `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`,
    goodbye: 'none',
    ledger: [1, 1, 1],
  },
  {
    name: 'write bytes many times',
    script: [{ write: 'a\xff', times: 3 }],
    text: 'a\xffa\xffa\xff',
    goodbye: 'none',
    ledger: [1, 1, 1],
  },
  {
    name: 'write with gaps',
    script: [{ write: 'ab', times: 3, everyMs: 1 }, 'fin'],
    text: 'ababab',
    goodbye: 'fin',
    ledger: [1, 1, 1],
    closeNotify: true,
  },
  {
    name: 'half a head, rst',
    script: [{ respond: { cut: { head: 9 } } }, { wait: 20 }, 'rst'],
    text: 'HTTP/1.1 ',
    goodbye: 'rst',
    ledger: [1, 1, 1],
  },
  {
    name: 'a cut answer is followed by silence',
    script: [{ respond: { body: 'hello', cut: { body: 2 } } }],
    text: 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe',
    goodbye: 'none',
    ledger: [1, 1, 1],
  },
  {
    name: 'half a chunk, fin',
    script: [{ respond: { body: 'hello', framing: 'chunked', cut: { body: 2 } } }, 'fin'],
    text: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe',
    goodbye: 'fin',
    ledger: [1, 1, 1],
    closeNotify: true,
  },
  {
    name: 'a body that ends with the connection',
    script: [{ respond: { body: 'hello', framing: 'close' } }],
    text: 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello',
    goodbye: 'fin',
    ledger: [1, 1, 1],
    closeNotify: true,
  },
  {
    name: 'half of such a body, truncated',
    script: [{ respond: { body: 'hello', framing: 'close', cut: { body: 2 } } }, 'bare-fin'],
    text: 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhe',
    goodbye: 'fin',
    ledger: [1, 1, 1],
    closeNotify: false,
  },
  {
    name: 'a refusal executes nothing',
    script: [{ respond: { status: 503, retryAfter: 2 } }],
    text: 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 2\r\n\r\n',
    goodbye: 'none',
    ledger: [1, 1, 0],
  },
  {
    name: '303 executes, other redirects do not',
    script: [{ respond: { status: 303, headers: { location: '/a' } } }],
    text: /^HTTP\/1\.1 303 See Other\r\ncontent-length: 0\r\nlocation: \/a\r\n\r\n$/,
    goodbye: 'none',
    ledger: [1, 1, 1],
  },
  {
    name: '307',
    script: [{ respond: { status: 307, headers: { location: '/a' } } }],
    text: /^HTTP\/1\.1 307 Temporary Redirect\r\n/,
    goodbye: 'none',
    ledger: [1, 1, 0],
  },
  {
    name: 'idle: fin at once',
    script: { idle: ['fin'] },
    text: OK,
    goodbye: 'fin',
    ledger: [1, 1, 1],
    closeNotify: true,
  },
  {
    name: 'idle: rst after a while',
    script: { idle: [{ wait: 20 }, 'rst'] },
    text: OK,
    goodbye: 'rst',
    ledger: [1, 1, 1],
  },
  {
    name: 'idle: an answer that nobody asked for',
    script: { idle: [{ respond: { status: 408, close: true } }] },
    text: `${OK}HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
    goodbye: 'fin',
    ledger: [1, 1, 1],
    closeNotify: true,
  },
]

/** Long enough for a goodbye that is not to come to arrive over loopback. */
const A_WHILE = 30

describe.each([{ tls: false }, { tls: true }])('steps, tls: $tls', ({ tls }) => {
  let server: RudeServer
  beforeEach(async () => {
    server = await rudeServer({ tls })
  })
  afterEach(() => server.close())

  test.each(ROWS)('$name', async ({ script, text, goodbye, ledger, closeNotify }) => {
    server.on(script)
    using client = new RawClient(server)
    client.send(POST)
    const { began, received, executions } = server.ledger
    const counts = () => [began, received, executions].map((count) => count.call(server.ledger, 'r'))
    if (goodbye === 'none') {
      await vi.waitFor(() => expect(counts()).toEqual(ledger), { timeout: 5_000, interval: 5 })
      if (typeof text === 'string')
        await vi.waitFor(() => expect(client.text).toBe(text), { timeout: 5_000, interval: 5 })
      else await vi.waitFor(() => expect(client.text).toMatch(text), { timeout: 5_000, interval: 5 })
      await sleep(A_WHILE)
      expect(client.goodbye).toBeUndefined()
    } else expect(await client.parted()).toBe(goodbye)
    if (goodbye === 'rst') expect(client.tcpError?.code).toBe('ECONNRESET')
    if (goodbye === 'rst' && ledger[0] > 0) expect(client.tcpError?.syscall).toBe('read')
    if (typeof text === 'string') expect(client.text).toBe(text)
    else expect(client.text).toMatch(text)
    expect(counts()).toEqual(ledger)
    if (tls && closeNotify !== undefined) expect(client.lastRecord === 21).toBe(closeNotify)
  })

  test('read: so many bytes and no more, however they are cut into segments', async () => {
    const head = request('POST', '/', 'r', 'hello, world').length - 'hello, world'.length
    server.on([{ read: head + 5 }, 'execute', 'rst'])
    for (const cut of [1, head - 2, head, head + 3, head + 8]) {
      server.ledger.clear()
      using client = await RawClient.connect(server)
      const text = request('POST', '/', 'r', 'hello, world')
      client.send(text.slice(0, cut))
      await sleep(5)
      client.send(text.slice(cut))
      expect(await client.parted()).toBe('rst')
      const digest = createHash('sha256').update('hello').digest('hex')
      expect(server.ledger.entries()[0]?.arrivals[0]).toMatchObject({
        bytes: 5,
        received: false,
        executions: [{ digest, bytes: 5, complete: false }],
      })
    }
  })

  test('half-close: the server reads on after its FIN', async () => {
    server.on([{ read: 'head' }, 'half-close', { read: 'request' }, 'execute', 'stall'])
    using client = await RawClient.connect(server)
    const [head, body] = [POST.slice(0, -5), POST.slice(-5)]
    client.send(head)
    if (tls) await expect.poll(() => client.lastRecord).toBe(21)
    else expect(await client.parted()).toBe('fin')
    expect(server.ledger.received('r')).toBe(0)
    // Node's TLS client ends its own side when the far side does: there only the FIN can be seen.
    if (tls) return
    client.send(body)
    await server.until(() => server.ledger.executions('r') === 1)
    expect(server.ledger.received('r')).toBe(1)
  })

  test('fin: the server is gone, and later bytes meet a RST', async () => {
    server.on([{ read: 'request' }, 'fin'])
    using client = await RawClient.connect(server)
    client.send(POST)
    expect(await client.parted()).toBe('fin')
    await server.until(() => server.connections.open === 0)
    client.tcp.write('one')
    await expect.poll(() => client.tcp.destroyed || client.tcp.write('more')).toBe(true)
  })

  test('close with bytes unread in the kernel is a RST', async () => {
    server.on([{ read: 'head' }, 'pause', { wait: 50 }, 'close'])
    using client = await RawClient.connect(server)
    client.send(request('POST', '/', 'r', 'x'.repeat(4_000_000)))
    expect(await client.parted()).toBe('rst')
    expect(server.ledger.entries()).toMatchObject([{ began: 1, received: 0, executed: 0 }])
  })

  test('pause closes the window, and read opens it again', async () => {
    server.on([{ read: 'head' }, 'pause', { wait: 100 }, { read: 'request' }, { respond: { body: 'ok' } }])
    using client = await RawClient.connect(server)
    // More than the buffers of the kernels at both ends hold.
    client.send(request('POST', '/', 'r', 'x'.repeat(24_000_000)))
    await server.until(() => server.ledger.began('r') === 1)
    await sleep(50)
    expect(client.unsent).toBeGreaterThan(0)
    await client.reads(OK)
    expect(server.ledger.entries()[0]?.arrivals[0]).toMatchObject({ bytes: 24_000_000, received: true })
  })

  test('stall ends when the client leaves', async () => {
    server.on(['stall'])
    using client = await RawClient.connect(server)
    client.send(POST)
    await server.until(() => server.connections.open === 1 && server.connections.idle === 0)
    client.destroy()
    await server.until(() => server.connections.open === 0)
  })

  test('a client that ends its side after the request still gets its answer', async () => {
    server.on([{ wait: 20 }, { respond: { body: 'late' } }])
    using client = await RawClient.connect(server)
    client.send(POST)
    client.end()
    await client.reads('late')
    expect(await client.parted()).toBe('fin')
  })

  test('drip sends a chunk at a time', async () => {
    server.on([{ respond: { body: { bytes: 5 }, framing: 'chunked', drip: { bytes: 2, everyMs: 2 } } }])
    using client = await RawClient.connect(server)
    client.send(POST)
    await client.reads('2\r\nab\r\n2\r\ncd\r\n1\r\ne\r\n0\r\n\r\n')
  })

  test('expect: 100-continue is answered when the server means to read, and not when it does not', async () => {
    const head = `POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n`
    using patient = await RawClient.connect(server)
    patient.send(head)
    await patient.reads('HTTP/1.1 100 Continue\r\n\r\n')
    patient.send('hello')
    await patient.reads(OK)
    server.on([{ read: 'head' }, { respond: { status: 413, close: true } }])
    using refused = await RawClient.connect(server)
    refused.send(head)
    expect(await refused.parted()).toBe('fin')
    expect(refused.text).toMatch(/^HTTP\/1\.1 413 /)
  })
})
