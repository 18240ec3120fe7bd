import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { type Misdeed, type MisdeedName, misdeeds, type RudeServer, rudeServer } from '../../src/testing/rude-server.js'
import { type Goodbye, RawClient, request } from './raw-client.js'

/** What a client sees that sends a POST of 5 bytes, and for the misdeeds on kept connections another one after it. */
interface Sight {
  /** What comes, one character per byte. */
  text: string | RegExp
  goodbye: Goodbye | 'none'
  /** Began, received, executed: of the POST, or of the second one. */
  ledger: readonly [number, number, number]
  /** Two requests are needed to see it. */
  twice?: boolean
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
const NEVER = [0, 0, 0] as const
const EXECUTED = [1, 1, 1] as const
const REFUSED = [1, 1, 0] as const
const HALF_LETTERS = 'abcdefghijklmnopqrstuvwxyz'.repeat(20).slice(0, 500)

const nothing = (goodbye: Sight['goodbye'], ledger: Sight['ledger']): Sight => ({ text: '', goodbye, ledger })
const answer = (
  text: Sight['text'],
  goodbye: Sight['goodbye'] = 'none',
  ledger: Sight['ledger'] = EXECUTED,
): Sight => ({
  text,
  goodbye,
  ledger,
})
const status = (code: number, more = '', ledger: Sight['ledger'] = REFUSED) =>
  answer(new RegExp(`^HTTP/1\\.1 ${code} [A-Z][A-Za-z ]+\\r\\ncontent-length: 0\\r\\n${more}\\r\\n$`), 'none', ledger)
const half = (goodbye: Sight['goodbye'], framing: RegExp | string) =>
  answer(new RegExp(`^HTTP/1\\.1 200 OK\\r\\n${framing}\\r\\n\\r\\n(?:3e8\\r\\n)?${HALF_LETTERS}$`), goodbye)
const second = (text: string, goodbye: Sight['goodbye'], ledger: Sight['ledger']): Sight => ({
  text: OK + text,
  goodbye,
  ledger,
  twice: true,
})

/** Misdeeds that show only to one who speaks TLS in earnest: what Node's client is told in the handshake. */
const TLS_CODES = {
  'tls-reset-after-client-hello': /^ECONNRESET$/,
  'tls-fin-after-client-hello': /^ECONNRESET$/,
  'tls-alert-handshake-failure': /^ERR_SSL_.*HANDSHAKE_FAILURE$/,
  'tls-alert-protocol-version': /^ERR_SSL_.*PROTOCOL_VERSION$/,
  'tls-alert-unrecognized-name': /^ERR_SSL_.*UNRECOGNIZED_NAME$/,
  'tls-alert-internal-error': /^ERR_SSL_.*INTERNAL_ERROR$/,
  'tls-plain-http-answer': /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/,
  'tls-garbage-answer': /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/,
  'tls-expired-certificate': /^CERT_HAS_EXPIRED$/,
  'tls-wrong-name-certificate': /^ERR_TLS_CERT_ALTNAME_INVALID$/,
  'tls-self-signed-certificate': /^DEPTH_ZERO_SELF_SIGNED_CERT$/,
} satisfies Partial<Record<MisdeedName, RegExp>>

const SIGHTS: Record<Exclude<MisdeedName, keyof typeof TLS_CODES>, Sight> = {
  'reset-at-accept': nothing('rst', NEVER),
  'fin-at-accept': nothing('fin', NEVER),
  'stall-at-accept': nothing('none', NEVER),
  'reset-with-request-unread': nothing('rst', NEVER),
  'tls-stall-after-client-hello': nothing('none', NEVER),
  'tls-reset-after-handshake': nothing('rst', NEVER),
  'tls-fin-after-handshake': nothing('fin', NEVER),
  'reset-mid-request-head': nothing('rst', NEVER),
  'reset-after-request-head': nothing('rst', [1, 0, 0]),
  'fin-after-request-head': nothing('fin', [1, 0, 0]),
  'reset-mid-upload': nothing('rst', [1, 1, 0]),
  'stop-reading': nothing('none', [1, 0, 0]),
  'execute-head-then-reset': nothing('rst', [1, 0, 1]),
  'execute-prefix-then-reset': nothing('rst', EXECUTED),
  'reset-after-request': nothing('rst', EXECUTED),
  'fin-after-request': nothing('fin', EXECUTED),
  'bare-fin-after-request': nothing('fin', EXECUTED),
  'half-close-after-request': nothing('fin', EXECUTED),
  'stall-before-head': nothing('none', EXECUTED),
  'stall-without-executing': nothing('none', REFUSED),
  'reset-after-early-hints': answer(/^HTTP\/1\.1 103 Early Hints\r\nlink: .*\r\n\r\n$/, 'rst'),
  'unsolicited-continue': answer(`HTTP/1.1 100 Continue\r\n\r\n${OK}`),
  'switching-protocols': answer(/^HTTP\/1\.1 101 Switching Protocols\r\n/),
  'reset-mid-head': answer('HTTP/1.1 200 OK\r\ncon', 'rst'),
  'fin-mid-head': answer('HTTP/1.1 200 OK\r\ncon', 'fin'),
  'stall-mid-head': answer('HTTP/1.1 200 OK\r\ncon'),
  garbage: answer('\x00\xff'.repeat(128)),
  'other-protocol': answer('SSH-2.0-OpenSSH_9.6\r\n', 'fin'),
  'bad-status-line': answer('HTTP/1.1 OK\r\n\r\n'),
  'bad-header-line': answer(/\r\n: no\0name\r\n/),
  'overlong-headers': answer(/^HTTP\/1\.1 200 OK\r\n(?:X-Long: x{1014}\r\n){128}\r\n$/),
  'conflicting-lengths': answer(/Content-Length: 2\r\nContent-Length: 5\r\n\r\nhello$/),
  'length-and-chunked': answer(/Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/),
  'reset-before-body': answer('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n', 'rst'),
  'fin-before-body': answer('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n', 'fin'),
  'reset-mid-body-content-length': half('rst', 'content-length: 1000'),
  'reset-mid-body-chunked': half('rst', 'transfer-encoding: chunked'),
  'reset-mid-body-close-delimited': half('rst', 'connection: close'),
  // Whether a client sees RST or FIN here, and how many of the bytes, is up to its libuv.
  'reset-mid-body-at-once': { text: /^(?:HTTP\/1\.1 200 OK\r\n.*)?$/s, goodbye: 'rst', ledger: EXECUTED },
  'fin-mid-body-content-length': half('fin', 'content-length: 1000'),
  'fin-mid-body-chunked': half('fin', 'transfer-encoding: chunked'),
  'fin-before-last-chunk': answer(/\r\n3e8\r\n[a-z]{1000}\r\n$/, 'fin'),
  'fin-mid-body-close-announced': half('fin', 'content-length: 1000\r\nconnection: close'),
  'bare-fin-mid-body-content-length': half('fin', 'content-length: 1000'),
  'bare-fin-mid-body-close-delimited': half('fin', 'connection: close'),
  'stall-mid-body-content-length': half('none', 'content-length: 1000'),
  'stall-mid-body-chunked': half('none', 'transfer-encoding: chunked'),
  'stall-mid-body-close-delimited': half('none', 'connection: close'),
  'bad-chunk': answer(/\r\n3e8\r\n[a-z]{1000}\r\nzz\r\nhello\r\n$/),
  'overlong-chunk': answer(/\r\n3\r\nhello\r\n0\r\n\r\n$/),
  'wrong-length': answer('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello, world'),
  'broken-gzip': answer(/content-encoding: gzip\r\n\r\nthis is plain text$/),
  'slow-body': answer(/^HTTP\/1\.1 200 OK\r\ncontent-length: 1000\r\n\r\n[a-z]*$/),
  'endless-body': answer(/^HTTP\/1\.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n(?:400\r\nx{1024}\r\n)+/),
  'status-408': answer(/^HTTP\/1\.1 408 .*connection: close\r\n\r\n$/s, 'fin', REFUSED),
  'status-409': status(409),
  'status-421': status(421),
  'status-425': status(425),
  'status-429-retry-after': status(429, 'retry-after: 1\\r\\n'),
  'status-500': status(500),
  'status-500-after-executing': status(500, '', EXECUTED),
  'status-502': status(502),
  'status-503': status(503),
  'status-503-retry-after': status(503, 'retry-after: 1\\r\\n'),
  'status-503-retry-after-date': status(
    503,
    'retry-after: [A-Z][a-z]{2}, \\d\\d [A-Z][a-z]{2} \\d{4} [\\d:]{8} GMT\\r\\n',
  ),
  'status-503-retry-after-a-day': status(503, 'retry-after: 86400\\r\\n'),
  'status-503-retry-after-garbage': status(503, 'retry-after: soon\\r\\n'),
  'status-504-after-executing': status(504, '', EXECUTED),
  'status-413-before-body': answer(/^HTTP\/1\.1 413 .*connection: close\r\n\r\n$/s, 'fin', [1, 0, 0]),
  'status-413-before-body-then-reset': answer(/^HTTP\/1\.1 413 /, 'rst', [1, 0, 0]),
  'redirect-loop': status(307, 'location: \\r\\n'),
  'reset-when-idle': second('', 'rst', NEVER),
  'fin-when-idle': second('', 'fin', NEVER),
  'bare-fin-when-idle': second('', 'fin', NEVER),
  'deaf-when-idle': second('', 'none', NEVER),
  'status-408-when-idle': second(
    'HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
    'fin',
    NEVER,
  ),
  'bytes-when-idle': second(`by the way${OK}by the way`, 'none', EXECUTED),
  'reset-after-one-request': second('', 'rst', NEVER),
  'fin-after-one-request': second('', 'fin', NEVER),
  'fin-before-keep-alive-hint': {
    text: 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\nkeep-alive: timeout=60\r\n\r\nok',
    goodbye: 'fin',
    ledger: NEVER,
    twice: true,
  },
  'reset-on-reuse': second('', 'rst', NEVER),
  'fin-on-reuse': second('', 'fin', REFUSED),
  'execute-on-reuse-then-reset': second('', 'rst', EXECUTED),
  'stall-on-reuse': second('', 'none', EXECUTED),
}

const all = Object.entries(misdeeds) as [MisdeedName, Misdeed][]
const sights = Object.entries(SIGHTS) as [keyof typeof SIGHTS, Sight][]
const rows = sights.flatMap(([name, sight]) =>
  [{ tls: false }, { tls: true }]
    .filter(({ tls }) => tls || misdeeds[name].over === 'any')
    .map(({ tls }) => ({ name, sight, tls })),
)

/** Sends what makes the misdeed seen, and waits until there is nothing more to come. */
async function provoke(server: RudeServer, client: RawClient, name: keyof typeof SIGHTS): Promise<void> {
  const sight = SIGHTS[name]
  const last = sight.twice ? 'second' : 'first'
  client.send(request('POST', '/', 'first', 'hello'))
  if (sight.twice) {
    await client.reads('ok')
    // What is done to the idle connection is waited for; where that is its end, a second request could not be sent.
    if (name === 'deaf-when-idle') {
      await server.until(() => server.connections.idle === 1)
      await expect.poll(() => server.connections.idle).toBe(0)
    } else if (name === 'bytes-when-idle') await client.reads('by the way')
    else if ('idle' in misdeeds[name]) return void (await client.parted())
    client.send(request('POST', '/', 'second', 'hello'))
  }
  if (sight.goodbye === 'none') {
    const [began, , executed] = sight.ledger
    await server.until(() => server.ledger.began(last) === began && server.ledger.executions(last) === executed)
    await sleep(40)
  } else await client.parted()
}

describe('misdeeds', () => {
  test.each(rows)('$name, tls: $tls', async ({ name, sight, tls }) => {
    await using server = await rudeServer({ tls, script: misdeeds[name] })
    using client = new RawClient(server)
    await provoke(server, client, name)
    if (name !== 'reset-mid-body-at-once') expect(client.goodbye ?? 'none').toBe(sight.goodbye)
    if (typeof sight.text === 'string') expect(client.text).toBe(sight.text)
    else expect(client.text).toMatch(sight.text)
    const { ledger } = server
    const last = sight.twice ? 'second' : 'first'
    expect([ledger.began(last), ledger.received(last), ledger.executions(last)]).toEqual(sight.ledger)
    // With TLS 1.2 the type of a record can be seen: 21 is the alert close_notify.
    if (tls && name.startsWith('bare-fin')) expect(client.lastRecord).not.toBe(21)
    if (tls && /^fin-(?!at-accept)/.test(name)) expect(client.lastRecord).toBe(21)
  })

  test.each(Object.entries(TLS_CODES))('%s: a TLS client is told %s', async (name, code) => {
    await using server = await rudeServer({ tls: true, script: misdeeds[name as keyof typeof TLS_CODES] })
    const socket = connect({ port: server.port, host: server.host, ca: server.ca })
    const error = await once(socket, 'secureConnect').catch((failure) => failure)
    expect(error.code).toMatch(code)
    // A FIN in the handshake is told by the same code, but it is no error of a system call.
    expect(error.syscall).toBe(name === 'tls-reset-after-client-hello' ? 'read' : undefined)
    await server.until(() => server.connections.open === 0)
    expect(server.ledger.entries()).toEqual([])
  })

  test('there are many, each tells what it does in a line of its own, and each is plain data', () => {
    expect(all.length).toBeGreaterThanOrEqual(90)
    const says = all.map(([, misdeed]) => misdeed.says)
    expect(new Set(says).size).toBe(all.length)
    for (const [name, misdeed] of all) {
      expect(name).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/)
      expect(misdeed.says).toMatch(/^[a-z].{10,110}[^.]$/)
      expect(JSON.parse(JSON.stringify(misdeed))).toEqual(misdeed)
    }
  })

  test('what needs TLS is refused on plain TCP, and said so', async () => {
    await using plain = await rudeServer()
    const needsTls = all.filter(([, misdeed]) => 'clientHello' in misdeed || 'certificate' in misdeed)
    expect(needsTls.length).toBeGreaterThan(10)
    for (const [, misdeed] of needsTls) {
      expect(misdeed.over).toBe('tls')
      expect(() => plain.on(misdeed)).toThrow(/is for TLS, and this server speaks plain TCP: start it with tls: true$/)
    }
  })
})
