// A TCP proxy that misbehaves: latency, slices, bandwidth, one-way stalls, resets, early FINs, and flows that it forgets.

import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Choices } from './choices.js'

/**
 * @typedef {import('node:net').Socket} Socket
 * @typedef {import('./plan.js').Toxics} Toxics
 */

/**
 * Forwards to a port of 127.0.0.1. Each connection is treated as `toxicsOf` says.
 *
 * @param {{ targetPort: number, seed: number, toxicsOf: (connection: number) => Toxics }} options
 */
export async function misbehavingProxy({ targetPort, seed, toxicsOf }) {
  /** @type {Set<Flow>} */
  const flows = new Set()
  let accepted = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    accepted += 1
    const flow = new Flow(client, { targetPort, toxics: toxicsOf(accepted), dice: new Choices(seed, accepted, 6) })
    flows.add(flow)
    flow.over.then(() => flows.delete(flow))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: /** @type {import('node:net').AddressInfo} */ (server.address()).port,
    /** Connections whose client has not left. */
    get open() {
      return flows.size
    },
    async close() {
      const stopped = once(server, 'close')
      server.close()
      for (const flow of flows) flow.drop()
      await stopped
    },
  }
}

/** One connection of a client, and the one to the server that goes with it. */
class Flow {
  #client
  #toxics
  #dice
  /** @type {Socket | undefined} */
  #server
  #forgotten = false
  /** @type {NodeJS.Timeout | undefined} */
  #timer
  /** Resolves when the client's side is gone. */
  over

  /**
   * @param {Socket} client
   * @param {{ targetPort: number, toxics: Toxics, dice: Choices }} place
   */
  constructor(client, { targetPort, toxics, dice }) {
    this.#client = client
    this.#toxics = toxics
    this.#dice = dice
    client.on('error', () => {})
    this.over = new Promise((resolve) => {
      client.once('close', () => {
        clearTimeout(this.#timer)
        this.#server?.destroy()
        resolve(undefined)
      })
    })
    if (toxics.refuse === 'hold') void this.#discard(client)
    else if (toxics.refuse !== undefined) this.end(toxics.refuse)
    else this.#join(targetPort)
  }

  /** Nobody is told anything any more. */
  drop() {
    this.#server?.destroy()
    this.#client.destroy()
  }

  /** @param {'rst' | 'fin'} how */
  end(how) {
    if (how === 'rst') {
      this.#client.resetAndDestroy()
      if (this.#server?.connecting === false) this.#server.resetAndDestroy()
      return
    }
    this.#server?.destroy()
    this.#client.end(() => this.#client.destroy())
  }

  /** @param {number} targetPort */
  #join(targetPort) {
    const client = this.#client
    const server = connect({ host: '127.0.0.1', port: targetPort, allowHalfOpen: true, noDelay: true })
    this.#server = server
    server.on('error', () => this.#forgotten || client.destroyed || client.resetAndDestroy())
    server.once('connect', () => {
      void this.#pump('up', client, server)
      void this.#pump('down', server, client)
    })
    const { forgetAfterMs } = this.#toxics
    if (forgetAfterMs === undefined) return
    this.#timer = setTimeout(() => {
      this.#forgotten = true
      server.destroy()
      if (server.connecting) void this.#discard(client)
    }, forgetAfterMs)
  }

  /**
   * @param {'up' | 'down'} way
   * @param {Socket} from
   * @param {Socket} to
   */
  async #pump(way, from, to) {
    const { stall, resetChance = 0, cutAfter } = this.#toxics
    let seen = 0
    try {
      for await (const bytes of from.iterator({ destroyOnReturn: false })) {
        if (this.#forgotten || (stall?.way === way && seen >= stall.after)) continue
        if (this.#dice.chance(resetChance)) return this.end('rst')
        seen += bytes.length
        if (way === 'down' && cutAfter !== undefined && seen > cutAfter) {
          await this.#write(to, bytes.subarray(0, bytes.length - (seen - cutAfter)))
          return this.end('fin')
        }
        await this.#write(to, bytes)
      }
    } catch {
      // A reset goes on as one, unless this side has forgotten what it belongs to.
      if (!this.#forgotten && !to.destroyed) to.resetAndDestroy()
      return
    }
    // A client of HTTP has left when it ends; where an answer is held back, nothing else would let go of its socket.
    if (way === 'up' && (this.#forgotten || stall !== undefined)) this.#client.destroy()
    else if (!this.#forgotten && stall?.way !== way) to.end()
  }

  /**
   * @param {Socket} to
   * @param {Buffer} bytes
   */
  async #write(to, bytes) {
    const { latencyMs = 0, sliceBytes = bytes.length, bytesPerMs } = this.#toxics
    if (latencyMs > 0) await sleep(latencyMs)
    if (bytesPerMs !== undefined) await sleep(bytes.length / bytesPerMs)
    // A long body in the smallest slices would take for ever: most of it goes in larger ones.
    const size = Math.max(1, sliceBytes, Math.floor(bytes.length / 50))
    for (let at = 0; at < bytes.length && !to.destroyed; at += size) {
      const taken = to.write(bytes.subarray(at, at + size))
      if (size < bytes.length) await new Promise((resolve) => setImmediate(resolve))
      if (!taken && !to.destroyed) await Promise.race([once(to, 'drain'), once(to, 'close')]).catch(() => {})
    }
  }

  /** @param {Socket} client who is heard and never answered */
  async #discard(client) {
    client.resume()
    client.once('end', () => client.destroy())
  }
}
