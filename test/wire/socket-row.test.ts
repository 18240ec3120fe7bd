/** A connection's own row, as this kernel has it: of real connections in each state that a client can be left in. */

import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { SocketRowFacts } from '../../src/failure/circumstances.js'
import { SocketRows, SocketTable } from '../../src/wire/socket-row.js'
import { stopped } from './stopped-server.js'

const patienceMs = 10_000

/** A server that does as the test says with what it accepts. */
async function listening(accept: (socket: Socket) => void, host = '127.0.0.1'): Promise<number> {
  const accepted: Socket[] = []
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    accepted.push(socket)
    accept(socket)
  })
  server.listen(0, host)
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of accepted) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

async function connected(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host, allowHalfOpen: true })
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

function endsOf(socket: Socket) {
  return {
    localPort: socket.localPort as number,
    remoteAddress: socket.remoteAddress as string,
    remotePort: socket.remotePort as number,
  }
}

/** The row, once it is as it must become. */
async function rowOf(socket: Socket, is: (row: SocketRowFacts) => boolean): Promise<SocketRowFacts | undefined> {
  const rows = new SocketRows()
  const ends = endsOf(socket)
  for (;;) {
    const row = await rows.of(ends, patienceMs)
    if (row === undefined || is(row)) return row
  }
}

describe.runIf(process.platform === 'linux')('on Linux', () => {
  test('what the peer has taken and not read is acknowledged', async () => {
    const socket = await connected(await listening(() => {}))
    socket.write('GET / HTTP/1.1\r\n\r\n')
    const row = await rowOf(socket, ({ unacknowledged }) => unacknowledged === 0)
    expect(row).toMatchObject({ state: 'established', unacknowledged: 0, unread: 0 })
  })

  test('what the peer has no room for is not', async () => {
    const socket = await connected(await listening(() => {}))
    socket.write(Buffer.alloc(32_000_000))
    const row = await rowOf(socket, ({ timer, unacknowledged = 0 }) => unacknowledged > 0 && timer === 'zero-window')
    expect(row).toMatchObject({ state: 'established', timer: 'zero-window' })
  })

  test('a peer that has said its last word', async () => {
    const socket = await connected(await listening((peer) => void peer.end()))
    const row = await rowOf(socket, ({ state }) => state !== 'established')
    expect(row).toMatchObject({ state: 'close-wait' })
  })

  test('bytes that nobody reads', async () => {
    const socket = await connected(await listening((peer) => void peer.write('hello')))
    socket.pause()
    const rows = new SocketRows()
    const row = await rows.of(endsOf(socket), patienceMs)
    // They may have been read into this process before it was paused.
    expect([0, 5]).toContain(row?.unread)
  })

  test('a connection that was reset is known no more', async () => {
    const peers: Socket[] = []
    const socket = await connected(await listening((peer) => void peers.push(peer)))
    const ends = endsOf(socket)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    while (peers.length === 0) await new Promise((resolve) => setImmediate(resolve))
    peers[0]?.resetAndDestroy()
    await closed
    expect(await new SocketRows().of(ends, patienceMs)).toEqual({ state: 'absent' })
  })

  test('a SYN that nobody answers, behind a full queue', async () => {
    const port = await stopped()
    const sockets: Socket[] = []
    let row: SocketRowFacts | undefined
    for (let count = 0; count < 8 && row === undefined; count++) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      onTestFinished(() => void socket.destroy())
      sockets.push(socket)
      const made = await Promise.race([
        once(socket, 'connect').then(() => true),
        new Promise((resolve) => setTimeout(resolve, 300, false)),
      ])
      if (made === true) continue
      const ends = { localPort: socket.localPort as number, remoteAddress: '127.0.0.1', remotePort: port }
      row = await new SocketRows().of(ends, patienceMs)
    }
    expect(row).toMatchObject({ state: 'syn-sent', timer: 'retransmit' })
  })

  test('over IPv6', async (context) => {
    const port = await listening(() => {}, '::1').catch(() => context.skip())
    const socket = await connected(port, '::1')
    const row = await rowOf(socket, () => true)
    expect(row).toMatchObject({ state: 'established' })
  })

  test('each of many connections gets its own, in few passes', async () => {
    const port = await listening(() => {})
    const sockets = await Promise.all(Array.from({ length: 60 }, () => connected(port)))
    sockets.forEach((socket, index) => void (index % 2 === 0 && socket.destroy()))
    const rows = new SocketRows()
    const ends = sockets.map((socket, index) => (index % 2 === 0 ? undefined : endsOf(socket)))
    const found = await Promise.all(ends.map((one) => one && rows.of(one, patienceMs)))
    expect(found.filter((row) => row?.state === 'established')).toHaveLength(30)
  })

  test('no file is left open', async () => {
    const open = () => readdirSync('/proc/self/fd').filter((fd) => isTable(fd)).length
    const socket = await connected(await listening(() => {}))
    for (const one of [patienceMs, 0]) await new SocketRows().of(endsOf(socket), one)
    while (open() > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(open()).toBe(0)
  })
})

test('who has waited long enough is told that nobody knows', async () => {
  const waits = Array.from({ length: 3 }, () => new SocketTable('/proc/net/tcp').row(':0001 02030405:0006 ', 0))
  const rows = await Promise.all(waits)
  // With no patience at all the table may still be quicker.
  for (const row of rows) expect(row === undefined || row.state === 'absent').toBe(true)
})

test('a table that is not there says nothing', async () => {
  expect(await new SocketTable('/nowhere').row(':0001 02030405:0006 ', patienceMs)).toBeUndefined()
})

test('an address that is none says nothing', async () => {
  expect(
    await new SocketRows().of({ localPort: 1, remoteAddress: '/run/socket', remotePort: 1 }, patienceMs),
  ).toBeUndefined()
})

function isTable(fd: string): boolean {
  try {
    return /\/net\/tcp6?$/.test(readlinkSync(`/proc/self/fd/${fd}`))
  } catch {
    return false
  }
}
