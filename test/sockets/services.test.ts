/** A real Redis and a real PostgreSQL, killed and started anew in the middle: what talks to them over offhook's sockets goes on. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import net, { type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isOffhookError } from 'offhook'
import { dial, type RedialEvent, redial } from 'offhook/socket'
import pg from 'pg'
import Parser from 'redis-parser'
import { describe, expect, test } from 'vitest'

/** Where a program is; `undefined` when it is not on this machine. */
function whereIs(program: string): string | undefined {
  const { status, stdout } = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** A server in a folder and with a port of its own, that can be killed and started again. */
class Service implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'offhook-'))
  port = 0
  #process: ChildProcess | undefined
  readonly #signal: NodeJS.Signals

  /** @param signal what kills it at once, children included */
  constructor(signal: NodeJS.Signals) {
    this.#signal = signal
  }

  async findPort(): Promise<void> {
    const probe = net.createServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    this.port = (probe.address() as AddressInfo).port
    probe.close()
    await once(probe, 'close')
  }

  start(program: string, words: readonly string[], user: { uid?: number; gid?: number } = {}): void {
    this.#process = spawn(program, words, { cwd: this.folder, stdio: 'ignore', ...user })
  }

  async kill(): Promise<void> {
    const running = this.#process
    this.#process = undefined
    if (running === undefined || running.exitCode !== null) return
    running.kill(this.#signal)
    await once(running, 'exit')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The kinds of failure with which connections ended while this ran. */
async function endsDuring(action: () => Promise<void>): Promise<(string | undefined)[]> {
  const ends: (string | undefined)[] = []
  let up = 0
  const listen = (message: unknown) => {
    const event = message as RedialEvent
    if (event.event === 'up') up++
    if (event.event === 'down') ends.push(event.failure?.kind)
  }
  subscribe('offhook:redial', listen)
  await action()
  // The last connection was given up a moment ago.
  while (ends.length < up) await new Promise((resolve) => setImmediate(resolve))
  unsubscribe('offhook:redial', listen)
  return ends
}

const redis = whereIs('redis-server')
if (redis === undefined) console.log('skipped: Redis (there is no redis-server on this machine)')

describe.skipIf(redis === undefined)('Redis', () => {
  test('a subscription goes on after the server was killed', { timeout: 30_000 }, async () => {
    await using service = new Service('SIGKILL')
    await service.findPort()
    const start = () =>
      service.start(redis as string, ['--port', String(service.port), '--bind', '127.0.0.1', '--save', ''])
    start()
    const heard: string[] = []
    let publishing: Promise<void> | undefined
    const ends = await endsDuring(async () => {
      for await (const socket of redial({ host: '127.0.0.1', port: service.port, retry: { backoff: { cap: 50 } } })) {
        const message = await firstMessage(socket, () => {
          publishing = publish(service.port, `message ${heard.length + 1}`)
        })
        await publishing
        heard.push(message)
        if (heard.length === 3) break
        await service.kill()
        start()
      }
    })
    expect(heard).toEqual(['message 1', 'message 2', 'message 3'])
    // The kernel of a process that was killed closes its connections; with bytes unread it resets them.
    expect(ends).toHaveLength(3)
    expect(ends[2]).toBeUndefined()
    for (const kind of ends.slice(0, 2)) expect(['closed', 'reset']).toContain(kind)
  })
})

/** Subscribes, and resolves to the first message of the channel. */
function firstMessage(socket: Socket, subscribed: () => void): Promise<string> {
  return new Promise((resolve) => {
    const parser = new Parser({
      returnReply: (reply) => {
        const [kind, , text] = reply as [string, string, string]
        if (kind === 'subscribe') subscribed()
        else resolve(text)
      },
      returnError: (error) => socket.destroy(error),
    })
    socket.on('data', (chunk) => parser.execute(chunk))
    socket.write('SUBSCRIBE news\r\n')
  })
}

async function publish(port: number, message: string): Promise<void> {
  const socket = await dial({ host: '127.0.0.1', port })
  socket.write(`*3\r\n$7\r\nPUBLISH\r\n$4\r\nnews\r\n$${message.length}\r\n${message}\r\n`)
  // One subscriber has received it.
  expect(String(await once(socket, 'data'))).toBe(':1\r\n')
  socket.destroy()
}

const postgres = whereIs('postgres') ?? whereIs('/usr/lib/postgresql/*/bin/postgres')
if (postgres === undefined) console.log('skipped: PostgreSQL (there is no postgres on this machine)')

/** PostgreSQL does not run as root. */
function unprivileged(): { uid: number; gid: number } | undefined {
  const id = (flag: string) => spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' })
  if (process.getuid?.() !== 0 || id('-u').status !== 0) return undefined
  return { uid: Number(id('-u').stdout), gid: Number(id('-g').stdout) }
}

describe.skipIf(postgres === undefined)('PostgreSQL', () => {
  test('a pg client on the sockets of redial goes on after the server was killed', { timeout: 60_000 }, async () => {
    await using service = new Service('SIGQUIT')
    await service.findPort()
    const user = unprivileged()
    if (user !== undefined) chownSync(service.folder, user.uid, user.gid)
    const data = join(service.folder, 'data')
    const bin = dirname(execFileSync('readlink', ['-f', postgres as string], { encoding: 'utf8' }).trim())
    execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'test', '-A', 'trust', '--no-sync'], {
      cwd: service.folder,
      stdio: 'ignore',
      ...user,
    })
    const words = ['-D', data, '-p', String(service.port), '-h', '127.0.0.1', '-k', service.folder, '-F']
    const start = () => service.start(join(bin, 'postgres'), words, user)
    start()
    const answers: string[] = []
    const errors: unknown[] = []
    const ends = await endsDuring(async () => {
      for await (const socket of redial({ host: '127.0.0.1', port: service.port, retry: { backoff: { cap: 200 } } })) {
        const client = new pg.Client({ user: 'test', database: 'postgres', stream: () => handedOver(socket) })
        client.on('error', (error) => errors.push(error))
        try {
          await client.connect()
          const { rows } = await client.query('SELECT $1::text AS said', [`turn ${answers.length + 1}`])
          answers.push(rows[0].said)
        } catch (error) {
          // Too early: it listens before it lets anybody in.
          errors.push(error)
          continue
        }
        if (answers.length === 2) break
        await service.kill()
        start()
      }
    })
    expect(answers).toEqual(['turn 1', 'turn 2'])
    expect(errors.length).toBeGreaterThan(0)
    expect(ends.slice(0, -1).every((kind) => kind === 'closed' || kind === 'reset')).toBe(true)
  })

  test('a query that is cut by the kill of the server fails with who hung up', { timeout: 60_000 }, async () => {
    await using server = await silentAfterQuery()
    const socket = await dial({ host: '127.0.0.1', port: server.port })
    const client = new pg.Client({ user: 'test', database: 'postgres', stream: () => handedOver(socket) })
    const heard = once(client, 'error')
    // pg tells of it twice, the second time in its own words.
    client.on('error', () => {})
    await client.connect()
    await expect(client.query('SELECT pg_sleep(60)')).rejects.toThrow()
    const [error] = await heard
    expect(isOffhookError(error)).toBe(true)
    expect(error).toMatchObject({ kind: 'reset', phase: 'wait', delivery: 'partial', mayHaveExecuted: true })
  })
})

/** pg dials by itself; a socket that is connected already has to tell it so. */
function handedOver(socket: Socket): Socket {
  socket.connect = () => {
    process.nextTick(() => socket.emit('connect'))
    return socket
  }
  return socket
}

/** Speaks as much of PostgreSQL's protocol as lets a client in, and resets the connection at its first query. */
async function silentAfterQuery(): Promise<{ port: number } & AsyncDisposable> {
  const ready = Buffer.concat([Buffer.from('R\0\0\0\x08\0\0\0\0', 'latin1'), Buffer.from('Z\0\0\0\x05I', 'latin1')])
  const server = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write(ready)
      socket.once('data', () => socket.resetAndDestroy())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}
