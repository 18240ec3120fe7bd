/** The turns of redial: what ends them, what is waited for between them, and what counts as proof. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { getEventListeners, once } from 'node:events'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import { ConnectionClosedError, ConnectionRefusedError, isOffhookError, TimeoutError, TlsError } from 'offhook'
import { type RedialEvent, type RedialOptions, redial } from 'offhook/socket'
import { refusedPort, rudeServer } from 'offhook/testing'
import { describe, expect, test } from 'vitest'
import { ManualClock, turns } from '../manual-clock.js'

/** A server whose connections do what the test says, and whose port is given back. */
class Peer implements AsyncDisposable {
  readonly #server: Server
  accepted = 0

  private constructor(onConnection: (socket: Socket, number: number) => void) {
    this.#server = net.createServer((socket) => {
      socket.on('error', () => {})
      onConnection(socket, ++this.accepted)
    })
  }

  static async listening(onConnection: (socket: Socket, number: number) => void): Promise<Peer> {
    const peer = new Peer(onConnection)
    peer.#server.listen(0, '127.0.0.1')
    await once(peer.#server, 'listening')
    return peer
  }

  get options(): RedialOptions<Socket> {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port, random: () => 0 }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    await once(this.#server, 'close')
  }
}

const hangUp = (socket: Socket) => void socket.end()

describe('what ends the loop', () => {
  test('break closes the connection', async () => {
    await using peer = await Peer.listening((socket) => void socket.resume())
    for await (const socket of redial(peer.options)) {
      expect(socket).toBeInstanceOf(net.Socket)
      break
    }
    // The server closes when no connection stands any more.
    expect(peer.accepted).toBe(1)
  })

  test('an error in the body closes the connection and is the reason', async () => {
    await using peer = await Peer.listening((socket) => void socket.resume())
    const failure = new Error('of the body')
    await expect(async () => {
      for await (const _ of redial(peer.options)) throw failure
    }).rejects.toBe(failure)
  })

  test('the signal: before, while dialling, while waiting, and while a connection stands', async () => {
    await using peer = await Peer.listening((socket) => void socket.resume())
    await using dead = await refusedPort()
    const reason = new Error('shut down')
    const loop = async (options: RedialOptions<Socket>) => {
      for await (const socket of redial(options)) socket.resume()
    }
    await expect(loop({ ...peer.options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    for (const options of [
      peer.options,
      { ...peer.options, port: dead.port, retry: { backoff: { base: 20_000 } }, random: () => 0.9 },
    ]) {
      const controller = new AbortController()
      const over = loop({ ...options, signal: controller.signal })
      await turns(30)
      controller.abort(reason)
      await expect(over).rejects.toBe(reason)
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    }
  })

  test('the signal ends a body that reads, with its reason', async () => {
    await using peer = await Peer.listening((socket) => void socket.write('hello'))
    const controller = new AbortController()
    const reason = new Error('shut down')
    let seen: unknown
    const loop = async () => {
      for await (const socket of redial({ ...peer.options, signal: controller.signal })) {
        try {
          for await (const _ of socket) controller.abort(reason)
        } catch (error) {
          seen = error
        }
      }
    }
    await expect(loop()).rejects.toBe(reason)
    expect(seen).toBe(reason)
  })

  test('attempts in a row, with all of them in the error', async () => {
    await using dead = await refusedPort()
    const error = await failure({ host: '127.0.0.1', port: dead.port, random: () => 0, retry: { attempts: 4 } })
    expect(error).toBeInstanceOf(ConnectionRefusedError)
    expect(error).toMatchObject({ stopReason: 'attempts', mayHaveExecuted: false, method: 'dial' })
    expect(error.attempts).toHaveLength(4)
  })

  test('a certificate, at once', async () => {
    await using server = await rudeServer({ tls: true, script: { certificate: 'wrong-name' } })
    const { host, port, ca } = server
    const error = await failure({ host, port, tls: { ca } })
    expect(error).toBeInstanceOf(TlsError)
    expect(error).toMatchObject({ stopReason: 'permanent', trouble: 'certificate' })
    expect(error.attempts).toHaveLength(1)
  })

  test('retry: false ends with the first failure', async () => {
    await using peer = await Peer.listening(hangUp)
    const error = await failure({ ...peer.options, retry: false })
    expect(error).toBeInstanceOf(ConnectionClosedError)
    expect(error.stopReason).toBe('disabled')
    expect(peer.accepted).toBe(1)
  })
})

describe('between the turns', () => {
  test('the next one begins when the connection has ended, whoever ended it', async () => {
    await using peer = await Peer.listening((socket, number) => {
      socket.resume()
      if (number === 1) setImmediate(() => socket.end())
    })
    let turn = 0
    for await (const socket of redial(peer.options)) {
      turn++
      expect(peer.accepted).toBe(turn)
      if (turn === 1) await once(socket.resume(), 'close')
      if (turn === 2) setImmediate(() => socket.destroy())
      if (turn === 3) break
    }
    expect(turn).toBe(3)
  })

  test('the wait doubles while nothing proves itself, and there is none after a life that did', async () => {
    const clock = new ManualClock()
    await using peer = await Peer.listening((socket, number) => void (number === 4 ? socket.resume() : hangUp(socket)))
    const events: RedialEvent[] = []
    const listen = (event: unknown) => void events.push(event as RedialEvent)
    subscribe('offhook:redial', listen)
    const waits: (number | undefined)[] = []
    const options = { ...peer.options, clock, random: () => 0.5, retry: { backoff: { base: 100, cap: 1_000 } } }
    let turn = 0
    const loop = (async () => {
      for await (const socket of redial({ ...options, provenAfter: 60_000 })) {
        turn++
        // The fourth lives long enough.
        if (turn === 4) {
          clock.advance(60_000)
          socket.end()
        }
        await once(socket.resume(), 'close')
        if (turn === 6) break
      }
    })()
    while (turn < 6) {
      await turns(3)
      // The limit for connecting waits as well; the backoff is the shorter one.
      const [wait] = clock.waits
      if (wait === undefined || wait > 1_000) continue
      waits.push(wait)
      clock.advance(wait)
    }
    await loop
    unsubscribe('offhook:redial', listen)
    expect(waits).toEqual([50, 100, 200, 50, 100])
    expect(events.filter(({ event }) => event === 'up')).toHaveLength(6)
    const proofs = events.flatMap((event) => (event.event === 'down' ? [event.proved] : []))
    expect(proofs).toEqual([false, false, false, true, false, false])
    expect(events.find(({ event }) => event === 'down')).toMatchObject({ failure: { kind: 'closed' }, turn: 1 })
  })

  test('whoever gives up a connection that had proved itself gets the next one without a wait', async () => {
    const clock = new ManualClock()
    await using peer = await Peer.listening((socket) => void socket.resume())
    let turn = 0
    for await (const socket of redial({ ...peer.options, clock, random: () => 0.9, provenAfter: 0 })) {
      if (++turn === 3) break
      socket.destroy()
    }
    expect(turn).toBe(3)
    expect(clock.pending).toBe(0)
  })
})

describe('a line that is dead and not hung up', () => {
  test('a heartbeat that is not answered in time gives it up', async () => {
    const clock = new ManualClock()
    await using peer = await Peer.listening((socket, number) => {
      // The first peer answers two beats, and then nobody is there any more.
      let beats = 0
      socket.on('data', () => (++beats <= 2 || number > 1) && socket.write('pong'))
    })
    const beat = async (socket: Socket, signal: AbortSignal) => {
      socket.write('ping')
      await once(socket, 'data', { signal })
    }
    const errors: unknown[] = []
    const loop = (async () => {
      for await (const socket of redial({ ...peer.options, clock, heartbeat: { every: 1_000, timeout: 300, beat } })) {
        if (errors.length === 1) break
        socket.once('error', (error) => errors.push(error))
      }
    })()
    while (errors.length === 0) {
      await turns(5)
      clock.advance(100)
    }
    await loop
    const [error] = errors
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ limit: 'heartbeat', limitMs: 300, phase: 'wait', delivery: 'partial' })
    expect(String(error)).toContain('heartbeat limit of 300 ms')
    expect((error as TimeoutError).bytes).toEqual({ sent: 12, received: 8 })
    expect(clock.pending).toBe(0)
  })

  test('a heartbeat that fails gives it up for that reason', async () => {
    await using peer = await Peer.listening((socket) => void socket.resume())
    const broken = new Error('no pong was what came')
    let turn = 0
    const heartbeat = { every: 1, beat: () => Promise.reject(broken) }
    for await (const socket of redial({ ...peer.options, heartbeat })) {
      if (++turn === 2) break
      expect(await once(socket, 'close').catch((error: unknown) => error)).toBe(broken)
    }
    expect(turn).toBe(2)
  })

  test('keepAlive asks the kernel to look', async () => {
    await using peer = await Peer.listening((socket) => void socket.resume())
    for await (const socket of redial({ ...peer.options, keepAlive: 15_000 })) {
      expect(socket.connecting).toBe(false)
      break
    }
  })
})

/** The error that the loop ends with. */
async function failure(options: RedialOptions<Socket>) {
  try {
    for await (const socket of redial(options)) socket.resume()
  } catch (error) {
    if (isOffhookError(error)) return error
    throw error
  }
  throw new Error('it did not fail')
}
