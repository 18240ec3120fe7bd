// One scenario, once: the hosts, the processes on them, and what the caller was told. Everything that a stage has started
// ends with it, and with this process.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { addresses, Network } from './network.js'

/** @typedef {import('./caller.mjs').Report} Report */
/** @typedef {import('./caller.mjs').CallSpec} CallSpec */
/** @typedef {import('./far-side.mjs').FarSpec} FarSpec */
/** @typedef {{ status?: number, bytes?: number, failure?: Report }} Outcome */
/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/** @type {Set<ChildProcess>} */
const running = new Set()

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A far side that stands. */
export class FarSide {
  /** @param {{ child: ChildProcess, host: string, port: number }} facts */
  constructor({ child, host, port }) {
    this.child = child
    this.host = host
    this.port = port
  }

  /** @param {string} [path] */
  url(path = '/ok') {
    return `http://${this.host}:${this.port}${path}`
  }

  /** @param {string} [path] */
  secureUrl(path = '/ok') {
    return `https://${this.host}:${this.port}${path}`
  }

  /** @param {NodeJS.Signals} signal */
  async kill(signal) {
    const ended = once(this.child, 'exit')
    this.child.kill(signal)
    if (signal === 'SIGKILL') await ended
  }
}

/** The process that calls. */
export class Caller {
  #child
  #ended
  #tasks = 0
  /** @type {Map<number, (outcome: any) => void>} */
  #open = new Map()

  /** @param {ChildProcess} child */
  constructor(child) {
    this.#child = child
    this.#ended = once(child, 'exit').then(() => {
      throw new Error('the caller ended')
    })
    this.#ended.catch(() => {})
    child.on('message', (/** @type {any} */ { id, outcome }) => {
      this.#open.get(id)?.(outcome)
      this.#open.delete(id)
    })
  }

  /**
   * @param {string} url
   * @param {Omit<CallSpec, 'url'>} [call]
   * @returns {Promise<Outcome>}
   */
  call(url, call) {
    return this.ask('call', { url, ...call })
  }

  /**
   * A call that has to succeed for the scenario to mean anything.
   *
   * @param {string} url
   * @param {Omit<CallSpec, 'url'>} [call]
   */
  async good(url, call) {
    const outcome = await this.call(url, call)
    if (outcome.failure !== undefined) throw new Error(`the scenario did not come about: ${outcome.failure.message}`)
  }

  /**
   * @param {string} task
   * @param {object} [rest]
   * @returns {Promise<any>}
   */
  ask(task, rest) {
    this.#tasks += 1
    const id = this.#tasks
    const answer = new Promise((resolve) => {
      this.#open.set(id, resolve)
    })
    this.#child.send({ ...rest, id, do: task })
    const outcome = Promise.race([answer, this.#ended])
    // A scenario may end without looking at every answer.
    outcome.catch(() => {})
    return outcome
  }
}

/**
 * @typedef {object} StageOptions
 * @property {string} packageUrl Where the built package is, with a slash at the end.
 * @property {boolean} network Whether there are hosts of its own, or only loopback.
 * @property {number} roundTripMs
 * @property {number} loopDelayMs
 * @property {number} turn Which repetition this is, from 0.
 */

export class Stage {
  /** @type {Set<ChildProcess>} */
  #children = new Set()
  /** @type {Network | undefined} */
  #network
  options

  /**
   * @param {StageOptions} options
   * @param {Network | undefined} network
   */
  constructor(options, network) {
    this.options = options
    this.#network = network
  }

  /** @param {StageOptions} options */
  static async open(options) {
    return new Stage(options, options.network ? await Network.open(options.roundTripMs) : undefined)
  }

  /** The hosts; only for scenarios that say they need them. */
  get network() {
    if (this.#network === undefined) throw new Error('this scenario has no hosts of its own')
    return this.#network
  }

  get roundTripMs() {
    return this.#network === undefined ? 0 : this.options.roundTripMs
  }

  /** Where the peer of this scenario is. */
  get peerHost() {
    return this.#network === undefined ? '127.0.0.1' : addresses.peer
  }

  /** A number from 0 to 1 that differs from turn to turn and is the same in every run. */
  get spread() {
    return (this.options.turn * 0.618) % 1
  }

  /** @param {number} ms */
  wait(ms) {
    return new Promise((resolve) => {
      setTimeout(resolve, ms)
    })
  }

  /**
   * @param {Omit<FarSpec, 'kind'> & { kind?: FarSpec['kind'] }} [spec]
   * @returns {Promise<FarSide>}
   */
  async far(spec) {
    const whole = { kind: 'http', host: this.peerHost, ...spec }
    const child = this.#start('far', [new URL('./far-side.mjs', import.meta.url).pathname, JSON.stringify(whole)])
    const [{ port }] = /** @type {[{ port: number }]} */ (await this.#first(child))
    return new FarSide({ child, host: whole.host, port })
  }

  /**
   * @param {object} client Options of its `createClient`.
   * @param {{ descriptors?: number }} [limits]
   * @returns {Promise<Caller>}
   */
  async caller(client, limits) {
    const spec = JSON.stringify({ client, loopDelayMs: this.options.loopDelayMs })
    const path = new URL('./caller.mjs', import.meta.url).pathname
    const child = this.#start('caller', [path, this.options.packageUrl, spec], limits)
    await this.#first(child)
    return new Caller(child)
  }

  /**
   * @param {'far' | 'caller'} host
   * @param {string[]} args
   * @param {{ descriptors?: number }} [limits]
   */
  #start(host, args, limits) {
    const enter = this.#network === undefined ? [] : ['ip', 'netns', 'exec', this.#network.hosts[host]]
    const limit =
      limits?.descriptors === undefined ? [] : ['sh', '-c', `ulimit -n ${limits.descriptors}; exec "$@"`, 'sh']
    const [command = '', ...rest] = [...enter, ...limit, process.execPath, ...args]
    const child = spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    this.#children.add(child)
    running.add(child)
    child.once('exit', () => {
      this.#children.delete(child)
      running.delete(child)
    })
    return child
  }

  /** @param {ChildProcess} child */
  async #first(child) {
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`a process of the scenario ended with ${code}`)
    })
    ended.catch(() => {})
    return Promise.race([once(child, 'message'), ended])
  }

  /** Ends every process and takes the network down. */
  async close() {
    const ends = [...this.#children].map(async (child) => {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    })
    await Promise.all(ends)
    this.#network?.close()
  }
}
