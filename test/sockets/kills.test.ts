/** A line protocol over redial, and a server that kills its connections a thousand times: no acknowledged line is lost. */

import { getEventListeners, once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { isOffhookError } from 'offhook'
import { redial } from 'offhook/socket'
import { expect, test } from 'vitest'

const kills = 1000

// The limit is against hanging, not for speed: a thousand connections one after the other take what the machine has left.
test('a thousand kills lose no acknowledged line, and leave nothing behind', { timeout: 120_000 }, async () => {
  const before = { sockets: alive('TCP'), timers: alive('Timeout') }
  const controller = new AbortController()
  const server = new Killer(kills, dice(20_261_124))
  await server.listen()
  const client = new Client()
  await client.run(server.port, controller.signal, () => server.kills >= kills)
  await server.close()
  expect(server.kills).toBe(kills)
  expect(client.errors.length).toBeGreaterThan(kills / 4)
  expect(client.errors.filter((error) => !isOffhookError(error))).toEqual([])
  // What the server has said that it keeps, it keeps; and it keeps the lines in their order.
  expect(client.acknowledged.length).toBeGreaterThan(kills)
  expect(client.acknowledged.filter((line) => !server.kept.has(line))).toEqual([])
  expect(client.acknowledged).toEqual([...client.acknowledged].sort((a, b) => a - b))
  expect(new Set(client.acknowledged).size).toBe(client.acknowledged.length)
  expect(client.acknowledged.at(-1)).toBe(client.acknowledged.length)
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  // Closing takes the kernel's word, some turns of the loop later.
  for (let turn = 0; turn < 1000 && alive('TCP') > before.sockets; turn++)
    await new Promise((resolve) => setImmediate(resolve))
  expect(alive('TCP')).toBe(before.sockets)
  expect(alive('Timeout')).toBeLessThanOrEqual(before.timers)
})

/** What of this sort keeps the process alive. */
function alive(sort: string): number {
  return process.getActiveResourcesInfo().filter((kind) => kind.startsWith(sort)).length
}

/** Sends numbered lines, a few at a time, and after each kill once more what was not acknowledged. */
class Client {
  readonly acknowledged: number[] = []
  readonly errors: unknown[] = []

  async run(port: number, signal: AbortSignal, enough: () => boolean): Promise<void> {
    const retry = { backoff: { base: 1, cap: 1 } }
    for await (const socket of redial({ host: '127.0.0.1', port, signal, retry })) {
      try {
        await this.#converse(socket, enough)
      } catch (error) {
        this.errors.push(error)
      }
      if (enough()) break
    }
  }

  async #converse(socket: Socket, enough: () => boolean): Promise<void> {
    const last = this.acknowledged.length
    for (let line = last + 1; line <= last + 5; line++) socket.write(`${line}\n`)
    let text = ''
    for await (const chunk of socket) {
      text += String(chunk)
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        this.acknowledged.push(Number(line))
        socket.write(`${this.acknowledged.length + 5}\n`)
      }
      if (enough()) return
    }
  }
}

/** Keeps the next line in order, says so, and kills: before or after it kept, before or after it said so, in four ways. */
class Killer {
  readonly kept = new Set<number>()
  kills = 0
  readonly #most: number
  readonly #dice: () => number
  readonly #server: Server
  readonly #open = new Set<Socket>()

  constructor(most: number, random: () => number) {
    this.#most = most
    this.#dice = random
    this.#server = createServer((socket) => this.#serve(socket))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(socket: Socket): void {
    this.#open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#open.delete(socket))
    if (this.#mayKill(socket, 0.1)) return
    createInterface({ input: socket }).on('line', (line) => {
      if (socket.destroyed || socket.writableEnded || this.#mayKill(socket, 0.15)) return
      if (Number(line) === this.kept.size + 1) this.kept.add(Number(line))
      if (this.#mayKill(socket, 0.15)) return
      socket.write(`${line}\n`)
      this.#mayKill(socket, 0.15)
    })
  }

  #mayKill(socket: Socket, share: number): boolean {
    if (this.kills >= this.#most || this.#dice() >= share) return false
    this.kills++
    const how = this.#dice()
    if (how < 0.4) socket.resetAndDestroy()
    else if (how < 0.6) socket.destroy()
    else if (how < 0.8) socket.end()
    else socket.end(() => socket.resetAndDestroy())
    return true
  }
}

/** mulberry32: the same throws in every run. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
