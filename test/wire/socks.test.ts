/** SOCKS 5 proxies: the bytes of RFC 1928 and 1929, as they should be and otherwise. */

import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'
import { inspect } from 'node:util'
import { explain } from 'offhook'
import { describe, expect, test } from 'vitest'
import { misdeeds, rudeServer } from '../../src/testing/rude-server.js'
import { ManualClock, turns } from '../manual-clock.js'
import { clientOf, failureOf, post } from './clients.js'

/** What it says in place of what it should say; a function does what it likes. */
interface Manners {
  readonly method?: readonly number[] | ((socket: Socket) => void)
  readonly login?: readonly number[]
  readonly reply?: readonly number[] | ((socket: Socket) => void)
  /** Writes one byte at a time. */
  readonly slowly?: boolean
}

const good = [5, 0, 0, 1, 127, 0, 0, 1, 0, 80]

async function socksProxy(manners: Manners = {}, host = '127.0.0.1') {
  const sockets: Socket[] = []
  const asked: string[] = []
  const logins: string[] = []
  const offers: number[][] = []
  let accepted = 0
  const write = async (socket: Socket, bytes: readonly number[]) => {
    if (manners.slowly !== true) return void socket.write(Buffer.from(bytes))
    for (const byte of bytes) {
      socket.write(Buffer.from([byte]))
      await turns(1)
    }
  }
  const take = async (socket: Socket, length: (bytes: Buffer) => number): Promise<Buffer> => {
    for (;;) {
      const seen: Buffer = socket.read() ?? Buffer.alloc(0)
      const whole = seen.length > 0 ? length(seen) : 1
      if (seen.length >= whole && seen.length > 0) {
        if (seen.length > whole) socket.unshift(seen.subarray(whole))
        return seen.subarray(0, whole)
      }
      if (seen.length > 0) socket.unshift(seen)
      await turns(1)
    }
  }
  const serve = async (socket: Socket) => {
    accepted++
    sockets.push(socket.on('error', () => {}))
    const offer = await take(socket, (bytes) => 2 + (bytes[1] ?? 1))
    offers.push([...offer.subarray(2)])
    const { method = offer.includes(2, 2) ? [5, 2] : [5, 0], login = [1, 0], reply = good } = manners
    if (typeof method === 'function') return method(socket)
    await write(socket, method)
    if (method[0] !== 5 || method[1] === 255) return socket.end()
    if (method[1] === 2) {
      const said = await take(socket, (bytes) => 3 + (bytes[1] ?? 0) + (bytes[2 + (bytes[1] ?? 0)] ?? 0))
      const user = said.subarray(2, 2 + (said[1] ?? 0))
      logins.push(`${user}:${said.subarray(3 + user.length)}`)
      await write(socket, login)
      if (login[1] !== 0) return socket.end()
    }
    const wish = await take(socket, (bytes) => 6 + (bytes[3] === 1 ? 4 : bytes[3] === 4 ? 16 : 1 + (bytes[4] ?? 0)))
    const port = wish.readUInt16BE(wish.length - 2)
    const address = wish[3] === 3 ? wish.subarray(5, -2).toString() : [...wish.subarray(4, -2)].join('.')
    asked.push(`${wish[3]} ${address} ${port}`)
    if (typeof reply === 'function') return reply(socket)
    const far = net.connect(port, wish[3] === 4 ? '::1' : '127.0.0.1')
    sockets.push(far.on('error', () => socket.resetAndDestroy()))
    socket.on('error', () => far.resetAndDestroy())
    await once(far, 'connect')
    await write(socket, reply)
    if (reply[1] !== 0) return socket.end()
    socket.pipe(far).pipe(socket)
  }
  const server = net.createServer((socket) => void serve(socket).catch(() => socket.destroy()))
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    asked,
    logins,
    offers,
    get accepted() {
      return accepted
    },
    url: `socks5://${host.includes(':') ? `[${host}]` : host}:${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe.each([false, true])('TLS: %s', (tls) => {
  test.each([
    ['at once', {}],
    ['byte by byte', { slowly: true }],
    ['with the name that it dialled from', { reply: [5, 0, 0, 3, 2, 97, 98, 0, 80] }],
    ['with an IPv6 address', { reply: [5, 0, 0, 4, ...Array<number>(18).fill(7)] }],
  ] satisfies [string, Manners][])('%s: everything arrives once, on one connection', async (_, manners) => {
    await using server = await rudeServer({ tls })
    await using proxy = await socksProxy(manners)
    const client = clientOf({ proxy: proxy.url })
    for (let number = 0; number < 5; number++) {
      expect(await (await client.fetch(server.url, post(`o-${number}`))).text()).toBe('ok')
      expect(server.ledger.executions(`o-${number}`)).toBe(1)
    }
    expect(proxy.accepted).toBe(1)
    expect(proxy.asked).toEqual([`1 127.0.0.1 ${server.port}`])
    expect(proxy.offers).toEqual([[0]])
  })
})

test('names are looked up by the proxy, IPv6 addresses go as sixteen bytes, and the proxy may be at one', async () => {
  await using server = await rudeServer({ host: '::1' })
  await using proxy = await socksProxy({}, '::1')
  const client = clientOf({ proxy: proxy.url })
  await (await client.fetch(server.url)).text()
  await using named = await rudeServer()
  await (await client.fetch(`http://service.invalid:${named.port}/`)).text()
  expect(proxy.asked).toEqual([`4 0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1 ${server.port}`, `3 service.invalid ${named.port}`])
})

test('user and password are offered where they are given, and stay with the proxy', async () => {
  await using server = await rudeServer()
  await using proxy = await socksProxy()
  const client = clientOf({ proxy: proxy.url.replace('//', '//planted%20user:p%40ss@') })
  const answer = await client.fetch(server.url, post('x'))
  await answer.text()
  expect(proxy.logins).toEqual(['planted user:p@ss'])
  expect(proxy.offers).toEqual([[0, 2]])
})

describe('no tunnel', () => {
  const replies = [1, 2, 3, 4, 5, 6, 7, 8, 99].map((code): [string, Manners, object] => {
    const permanent = [2, 7, 8].includes(code)
    return [
      `reply ${code}`,
      { reply: [5, code, 0, 1, 0, 0, 0, 0, 0, 0] },
      { code: `UND_ERR_SOCKS5_REPLY_${code}`, stopReason: permanent ? 'permanent' : 'attempts' },
    ]
  })
  test.each<[string, Manners, object]>([
    ...replies,
    ['no method', { method: [5, 255] }, { code: 'UND_ERR_SOCKS5_AUTH_REJECTED', stopReason: 'permanent' }],
    ['a method that was not offered', { method: [5, 1] }, { code: 'UND_ERR_SOCKS5_AUTH_REJECTED' }],
    ['wants a password and there is none', { method: [5, 2] }, { code: 'UND_ERR_SOCKS5_AUTH_REJECTED' }],
    ['SOCKS 4', { method: [4, 0] }, { code: 'UND_ERR_SOCKS5_VERSION' }],
    ['HTTP', { method: [...Buffer.from('HTTP/1.1 400 Bad')] }, { code: 'UND_ERR_SOCKS5_VERSION' }],
    ['an unknown form of address', { reply: [5, 0, 0, 9, 0, 0, 0, 0, 0, 0] }, { code: 'UND_ERR_SOCKS5_ADDR_TYPE' }],
    ['bytes behind the answer', { reply: [...good, 72, 84] }, { code: 'UND_ERR_SOCKS5_REPLY_EARLY' }],
    ['closed', { method: (socket) => socket.end() }, { code: 'UND_ERR_SOCKS5_REPLY_CLOSED' }],
    ['closed late', { reply: (socket) => socket.end(Buffer.from([5, 0])) }, { code: 'UND_ERR_SOCKS5_REPLY_CLOSED' }],
    ['reset', { method: (socket) => socket.resetAndDestroy() }, { code: 'ECONNRESET' }],
  ])('%s: ProxyError, unsent', async (_, manners, expected) => {
    await using server = await rudeServer()
    await using proxy = await socksProxy(manners)
    const error = await failureOf(clientOf({ proxy: proxy.url }).fetch(server.url, post('never')))
    expect(error).toMatchObject({ kind: 'proxy', phase: 'proxy', delivery: 'unsent', ...expected })
    expect(error.connection).toMatchObject({ proxy: proxy.url })
    expect(server.ledger.entries()).toEqual([])
  })

  test('a wrong password: once, and no secret is told', async () => {
    await using server = await rudeServer()
    await using proxy = await socksProxy({ login: [1, 1] })
    const client = clientOf({ proxy: proxy.url.replace('//', '//planted-user:planted-password@') })
    const error = await failureOf(client.fetch(server.url))
    expect(error).toMatchObject({ kind: 'proxy', code: 'UND_ERR_SOCKS5_AUTH_FAILED', stopReason: 'permanent' })
    expect(proxy.accepted).toBe(1)
    const told = [
      error.message,
      JSON.stringify(error),
      explain(error),
      inspect(error, { depth: 9 }),
      inspect(client),
    ].join()
    expect(told).not.toContain('planted')
  })

  test('silence: a timeout in phase proxy', async () => {
    await using server = await rudeServer()
    await using proxy = await socksProxy({ method: () => {} })
    const clock = new ManualClock()
    const client = clientOf({ proxy: proxy.url, clock, retry: false, timeout: { connect: 300, headers: false } })
    const failing = failureOf(client.fetch(server.url))
    while (proxy.offers.length === 0) await turns()
    clock.advance(300)
    expect(await failing).toMatchObject({ kind: 'timeout', phase: 'proxy', delivery: 'unsent' })
  })
})

test('what fails behind the tunnel is not the proxy', async () => {
  await using server = await rudeServer({ tls: true, script: misdeeds['reset-after-request'] })
  await using proxy = await socksProxy()
  const error = await failureOf(clientOf({ proxy: proxy.url }).fetch(server.url, post('once')))
  expect(['reset', 'closed']).toContain(error.kind)
  expect(error).toMatchObject({ delivery: 'unknown', stopReason: 'unsafe' })
  expect(server.ledger.executions('once')).toBe(1)
})
