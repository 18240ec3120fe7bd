import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { describe, expect, test, vi } from 'vitest'
import {
  certificates,
  misdeeds,
  type RudeServerOptions,
  refusedPort,
  rudeServer,
  type SeenRequest,
} from '../../src/testing/rude-server.js'
import { tlsKnowsSix } from '../tls-to-six.js'
import { RawClient, request } from './raw-client.js'

describe('a rude server', () => {
  test('is a well-behaved one until it is told otherwise', async () => {
    await using server = await rudeServer()
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`)
    expect(server.ca).toBeUndefined()
    const response = await fetch(server.url, { method: 'POST', body: 'hello' })
    expect([response.status, await response.text()]).toEqual([200, 'ok'])
    expect(server.ledger.entries()).toMatchObject([{ method: 'POST', executed: 1, arrivals: [{ bytes: 5 }] }])
  })

  test('listens on ::1 as well', async () => {
    await using server = await rudeServer({ host: '::1' })
    expect(server.url).toBe(`http://[::1]:${server.port}`)
    expect((await fetch(server.url)).status).toBe(200)
  })

  test('a port that is taken is told, with its code', async () => {
    await using server = await rudeServer()
    const second = rudeServer({ port: server.port })
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE', cause: { syscall: 'listen' } })
    await expect(second).rejects.toThrow(`cannot listen on port ${server.port} of 127.0.0.1`)
  })

  test.each([
    { options: { port: 65_536 }, message: 'rudeServer: option port must be an integer from 0 to 65535, got 65536' },
    { options: { port: '80' }, message: "rudeServer: option port must be an integer from 0 to 65535, got '80'" },
    { options: { host: '0.0.0.0' }, message: "rudeServer: option host must be '127.0.0.1', '::1', got '0.0.0.0'" },
    {
      options: { tls: 'yes' },
      message: "rudeServer: option tls must be true, false or { key, cert } in PEM, got 'yes'",
    },
    { options: { tls: { key: '' } }, message: /option tls must be .*got \{ key: '' \}/ },
    { options: { idHeader: 'x y' }, message: "rudeServer: option idHeader must be a header name, got 'x y'" },
    { options: { maxBodyBytes: -1 }, message: /option maxBodyBytes must be an integer from 0, got -1/ },
    {
      options: { prot: 1 },
      message: /unknown option 'prot', allowed are script, tls, host, port, idHeader, maxBodyBytes/,
    },
    {
      options: { script: 7 },
      message: 'rudeServer: script must be a script, a list of steps, turns or a function, got 7',
    },
    { options: { tls: { key: 'no', cert: 'no' } }, message: /PEM|no start line/i },
  ])('wrong options are refused: $message', async ({ options, message }) => {
    await expect(rudeServer(options as RudeServerOptions)).rejects.toThrow(message)
  })

  test('routes: method and path before path before the rest; the query string does not count', async () => {
    await using server = await rudeServer({ script: [{ respond: { status: 201 } }] })
    server.route('/a', [{ respond: { status: 202 } }])
    server.route('POST /a', [{ respond: { status: 203 } }])
    const status = async (path: string, method = 'GET') => (await fetch(server.url + path, { method })).status
    expect(await status('/')).toBe(201)
    expect(await status('/a?b=/c')).toBe(202)
    expect(await status('/a', 'POST')).toBe(203)
    expect(await status('/a/b')).toBe(201)
    server.route('/a', {})
    expect(await status('/a')).toBe(200)
  })

  test.each(['orders', '/a?b', 'post /a', '', 'GET/a'])('a route must be a path: %j', async (route) => {
    await using server = await rudeServer()
    expect(() => server.route(route, {})).toThrow(/^route must be a path without query/)
  })

  test('a function is asked for each request, with what is known of it', async () => {
    const seen: SeenRequest[] = []
    await using server = await rudeServer({
      script: (request) => {
        seen.push(request)
        return request.attempt < 2 ? misdeeds['status-503'] : [{ respond: { body: request.id } }]
      },
    })
    const headers = { 'x-request-id': 'r', 'x-more': 'yes' }
    expect((await fetch(`${server.url}/a?b=c`, { headers })).status).toBe(503)
    expect(await (await fetch(`${server.url}/a?b=c`, { headers })).text()).toBe('r')
    expect(seen).toMatchObject([
      { id: 'r', identified: true, attempt: 1, method: 'GET', path: '/a?b=c', connection: 1, requestOnConnection: 1 },
      { id: 'r', attempt: 2, method: 'GET', path: '/a?b=c', headers: { 'x-more': 'yes' } },
    ])
  })

  test.each([
    {
      script: () => {
        throw new Error('no idea')
      },
      text: 'no idea',
    },
    { script: () => ['explode'] as never, text: 'must be one of' },
    { script: () => undefined as never, text: 'must be a script' },
    { script: () => ({ accept: ['rst'] }) as const, text: 'cannot have the stages accept' },
  ])('a function that fails is answered for: $text', async ({ script, text }) => {
    await using server = await rudeServer({ script })
    const response = await fetch(server.url)
    expect(response.status).toBe(500)
    expect(await response.text()).toContain(text)
  })

  test('on() applies to the next request, on kept connections too', async () => {
    await using server = await rudeServer()
    using client = await RawClient.connect(server)
    client.send(request('GET', '/', 'a'))
    await client.reads('ok')
    server.on([{ respond: { body: 'other' } }])
    client.send(request('GET', '/', 'b'))
    await client.reads('other')
    expect(() => server.on(['explode'] as never)).toThrow(/^rudeServer: script: request\[0\] must be one of/)
    client.send(request('GET', '/', 'c'))
    await server.until(() => server.ledger.executions('c') === 1)
  })

  test('connections are counted', async () => {
    await using server = await rudeServer()
    using first = await RawClient.connect(server)
    using second = await RawClient.connect(server)
    await server.until(() => server.connections.idle === 2)
    expect(server.connections).toEqual({ accepted: 2, open: 2, idle: 2 })
    first.destroy()
    await server.until(() => server.connections.open === 1)
    second.send('GET')
    await server.until(() => server.connections.idle === 0)
    expect(server.connections).toEqual({ accepted: 2, open: 1, idle: 0 })
  })

  test('until: a condition that never holds, or throws, rejects; so does one that waits when the server is closed', async () => {
    await using server = await rudeServer()
    await expect(server.until(() => false, 10)).rejects.toThrow('the condition did not hold within 10 ms')
    const failing = server.until(() => {
      throw new Error('oh')
    })
    await expect(failing).rejects.toThrow('oh')
    const waiting = server.until(() => false)
    await server.close()
    await expect(waiting).rejects.toThrow('the server was closed')
  })
})

describe('close', () => {
  const stuck = [
    'stall-at-accept',
    'stall-before-head',
    'stop-reading',
    'deaf-when-idle',
    'endless-body',
    'stall-mid-head',
  ] as const

  test.each(stuck)('settles in the middle of %s, twice, and the client sees the end', async (name) => {
    const server = await rudeServer({ script: misdeeds[name] })
    using client = await RawClient.connect(server)
    client.send(request('POST', '/', 'r', 'hello'))
    await server.until(() => server.connections.open === 1)
    await server.close()
    await server.close()
    expect(server.connections.open).toBe(0)
    expect(await client.parted()).toMatch(/^(?:fin|rst)$/)
    await expect(fetch(server.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
  })

  test('settles in the middle of a TLS handshake', async () => {
    const server = await rudeServer({ tls: true, script: misdeeds['tls-stall-after-client-hello'] })
    const socket = connectTls({ port: server.port, host: server.host, ca: server.ca })
    const failed = once(socket, 'secureConnect').catch((error) => error)
    await server.until(() => server.connections.open === 1)
    await server.close()
    expect(await failed).toMatchObject({ code: 'ECONNRESET' })
  })

  test('leaves no timer behind', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const server = await rudeServer({ script: { open: [{ wait: 3_600_000 }, 'rst'] } })
    using client = await RawClient.connect(server)
    await expect.poll(timers).toBeGreaterThan(before)
    await server.close()
    expect(await client.parted()).toBe('fin')
    await expect.poll(timers).toBe(before)
  })

  test('no error of a connection becomes an uncaught one', async () => {
    const uncaught = vi.fn()
    process.on('uncaughtException', uncaught).on('unhandledRejection', uncaught)
    try {
      for (const tls of [false, true]) {
        await using server = await rudeServer({ tls, script: [{ respond: { body: { bytes: 5_000_000 } } }] })
        for (let count = 0; count < 20; count += 1) {
          // Bytes that are no TLS, and clients that reset at every moment.
          const socket = connect(server.port, server.host)
          socket.on('error', () => {})
          socket.write(count % 2 === 0 ? request('GET', '/', `${count}`) : '\x16\x03\x01\x00\x05hello')
          setTimeout(() => socket.resetAndDestroy(), count)
        }
        await server.until(() => server.connections.accepted === 20 && server.connections.open === 0)
      }
    } finally {
      process.off('uncaughtException', uncaught).off('unhandledRejection', uncaught)
    }
    expect(uncaught).not.toHaveBeenCalled()
  })
})

describe('TLS', () => {
  test('the built-in certificate is good for the three names of loopback, for whoever trusts the authority', async () => {
    await using server = await rudeServer({ tls: true })
    expect(server.url).toBe(`https://127.0.0.1:${server.port}`)
    for (const host of ['localhost', '127.0.0.1']) {
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        const socket = connectTls({
          port: server.port,
          host,
          ca: server.ca,
          maxVersion,
          ALPNProtocols: ['h2', 'http/1.1'],
        })
        await once(socket, 'secureConnect')
        expect([socket.authorized, socket.getProtocol(), socket.alpnProtocol]).toEqual([true, maxVersion, 'http/1.1'])
        socket.destroy()
      }
    }
    if (!tlsKnowsSix) return
    await using six = await rudeServer({ tls: true, host: '::1' })
    const socket = connectTls({ port: six.port, host: '::1', ca: six.ca })
    await once(socket, 'secureConnect')
    socket.destroy()
  })

  test.each([
    { name: 'expired', code: 'CERT_HAS_EXPIRED' },
    { name: 'wrong-name', code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    { name: 'self-signed', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
  ] as const)('the certificate $name is refused: $code', async ({ name, code }) => {
    await using server = await rudeServer({ tls: true, script: { certificate: name } })
    const socket = connectTls({ port: server.port, host: server.host, ca: server.ca })
    await expect(once(socket, 'secureConnect')).rejects.toMatchObject({ code })
  })

  test('without the authority the good certificate is refused too', async () => {
    await using server = await rudeServer({ tls: true })
    const socket = connectTls({ port: server.port, host: server.host })
    await expect(once(socket, 'secureConnect')).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
  })

  test("the user's own certificate is shown", async () => {
    await using server = await rudeServer({ tls: certificates['self-signed'] })
    expect(server.ca).toBeUndefined()
    const socket = connectTls({ port: server.port, host: server.host, ca: certificates['self-signed'].cert })
    await once(socket, 'secureConnect')
    socket.destroy()
  })
})

describe('refusedPort', () => {
  test.each(['127.0.0.1', '::1'] as const)('refuses on %s until it is closed, and is nobody else’s', async (host) => {
    await using nobody = await refusedPort(host)
    for (let count = 0; count < 3; count += 1) {
      await expect(fetch(nobody.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED', syscall: 'connect' } })
    }
    await expect(rudeServer({ host, port: nobody.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await nobody.close()
    await nobody.close()
  })
})
