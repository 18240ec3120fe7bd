// The far side of one world: a rude server, the proxy before it, restarts, sweeps through idle connections, brown-outs, and the
// ledger of all of it.

import { setTimeout as sleep } from 'node:timers/promises'
import { knownText } from './known-text.js'
import { planCall, planToxics } from './plan.js'
import { misbehavingProxy } from './proxy.js'
import { h2Scripts, openings, scriptFor } from './scripts.js'

/**
 * @typedef {import('./plan.js').WorldPlan} WorldPlan
 * @typedef {Pick<typeof import('../../src/testing/rude-server.js'), 'rudeServer' | 'rudeH2Server' | 'h2Misdeeds'>} Testing
 * @typedef {import('../../src/testing/rude-server.js').RudeServer} RudeServer
 * @typedef {import('../../src/testing/rude-server.js').RudeH2Server} RudeH2Server
 * @typedef {{ id: string, method: string, path: string, began: number, executed: number, executions: { bytes: number, digest: string, complete: boolean }[] }} Entry
 * @typedef {{ entries: Entry[], restarts: number, connections: number }} FarReport
 */

/**
 * How long the far side waits, after the client was closed, for what that had sent to be dealt with. A server that has stopped
 * reading never sees its client leave: what the client itself has left is counted at its own side, when all is over.
 */
const patienceMs = 300

/**
 * @param {WorldPlan} world
 * @param {Testing} testing
 */
export async function openFarSide(world, testing) {
  const side = new FarSide(world, testing)
  return await side.open()
}

class FarSide {
  #world
  #testing
  /** @type {RudeServer | RudeH2Server | undefined} */
  #server
  /** @type {Awaited<ReturnType<typeof misbehavingProxy>> | undefined} */
  #proxy
  #port = 0
  #requests = 0
  #restarts = 0
  #connections = 0
  #closing = false
  /** @type {NodeJS.Timeout | undefined} */
  #sweeper
  /** @type {Promise<void> | undefined} */
  #restarting
  /** @type {Map<string, Entry>} */
  #book = new Map()

  /**
   * @param {WorldPlan} world
   * @param {Testing} testing
   */
  constructor(world, testing) {
    this.#world = world
    this.#testing = testing
  }

  async open() {
    const { proxied, seed, restarts, sweeps, tls } = this.#world
    const server = await this.#start()
    if (proxied) {
      const toxicsOf = (/** @type {number} */ connection) => planToxics(this.#world, connection)
      this.#proxy = await misbehavingProxy({ targetPort: server.port, seed, toxicsOf })
    }
    if (restarts > 0) this.#restarting = this.#restartNowAndThen(restarts)
    if (sweeps > 0) this.#sweeper = setInterval(() => this.#sweep(), sweeps)
    return {
      url: `http${tls ? 's' : ''}://127.0.0.1:${this.#proxy?.port ?? server.port}`,
      ca: server.ca,
      close: () => this.#close(),
    }
  }

  async #start() {
    const { protocol, tls } = this.#world
    const server =
      protocol === 'h2'
        ? await this.#testing.rudeH2Server({
            port: this.#port,
            script: { turns: h2Scripts(this.#world, this.#testing.h2Misdeeds), per: 'server' },
          })
        : await this.#testing.rudeServer({ port: this.#port, tls })
    if ('route' in server) this.#instruct(server)
    this.#server = server
    this.#port = server.port
    return server
  }

  /** @param {RudeServer} server */
  #instruct(server) {
    const { rudeOpenings, brownOuts } = this.#world
    if (rudeOpenings) server.on({ turns: openings(this.#world), per: 'connection' })
    for (const path of ['/call', '/next']) {
      server.route(path, (request) => {
        this.#requests += 1
        const call = planCall(this.#world, Number(request.path.split('?')[1]))
        // Every fourth stretch of forty requests finds the server in a brown-out.
        if (brownOuts && Math.floor(this.#requests / 40) % 4 === 3 && this.#requests % 10 !== 0)
          return [{ respond: { status: 503, body: knownText(call.id, 64) } }]
        return scriptFor(this.#world, call, request)
      })
    }
  }

  /** @param {number} everyMs */
  async #restartNowAndThen(everyMs) {
    while (!this.#closing) {
      await sleep(everyMs)
      if (this.#closing) return
      const before = this.#server
      if (before === undefined) return
      await before.close()
      this.#write(before)
      await sleep(everyMs / 8)
      // Somebody may have been given the port in the meantime, for a connection of his own.
      for (let left = 50; ; left--) {
        try {
          await this.#start()
          break
        } catch (error) {
          if (left === 0) throw error
          await sleep(20)
        }
      }
      this.#restarts += 1
    }
  }

  #sweep() {
    const server = this.#server
    if (server === undefined || !('resetIdle' in server)) return
    const sweeps = [() => server.resetIdle(), () => server.closeIdle(), () => server.dropIdle()]
    sweeps[this.#requests % sweeps.length]?.()
  }

  async #close() {
    this.#closing = true
    clearInterval(this.#sweeper)
    await this.#restarting
    const server = this.#server
    const open = () => (server?.connections.open ?? 0) + (this.#proxy?.open ?? 0)
    for (let waited = 0; open() > 0 && waited < patienceMs; waited += 10) await sleep(10)
    await this.#proxy?.close()
    await server?.close()
    if (server !== undefined) this.#write(server)
    /** @type {FarReport} */
    const report = {
      entries: [...this.#book.values()],
      restarts: this.#restarts,
      connections: this.#connections,
    }
    return report
  }

  /** @param {RudeServer | RudeH2Server} server whose ledger goes into the book; nothing can happen there any more */
  #write(server) {
    this.#connections += server.connections.accepted
    for (const { id, method, path, began, executed, arrivals } of server.ledger.entries()) {
      const key = `${id} ${method} ${path}`
      const entry = this.#book.get(key) ?? { id, method, path, began: 0, executed: 0, executions: [] }
      this.#book.set(key, entry)
      entry.began += began
      entry.executed += executed
      for (const { executions } of arrivals)
        for (const { bytes, digest, complete } of executions) entry.executions.push({ bytes, digest, complete })
    }
    server.ledger.clear()
  }
}
