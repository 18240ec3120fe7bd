// The network of the lab: three hosts, each a network namespace, joined by two cables with a delay.
//
//   caller 10.77.1.2 ── near cable ── router 10.77.1.1 | 10.77.2.1 ── far cable ── far side 10.77.2.2, .3, .53
//
// A fifth of the round trip lies between the caller and the router. Everything that is made here is unmade by `close`,
// and by the end of this process, however it ends; what a killed run has left is swept up by the next.

import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const prefix = 'ofhlab'
const etc = '/etc/netns'
const delayLine = new URL('./delay-line.py', import.meta.url).pathname

/** The addresses of the lab. `peer` and `elsewhere` are two on the same far host. */
export const addresses = {
  caller: '10.77.1.2',
  router: '10.77.1.1',
  peer: '10.77.2.2',
  elsewhere: '10.77.2.3',
  resolver: '10.77.2.53',
  /** Routed to the far side, where no host has it. */
  nobody: '10.77.2.99',
  /** Behind it the router gives connections to the far hosts, as a balancer does. */
  balanced: '10.77.9.9',
}

/** @typedef {'caller' | 'router' | 'far'} HostName */
/** @typedef {{ nearMs?: number, farMs?: number, jitterMs?: number, resetOn?: string, swallowOn?: string, swallowAbove?: number }} Cables */

/** @type {Set<Network>} */
const standing = new Set()
let made = 0

/**
 * Why no namespaces can be made here, in a few words; `undefined` where they can.
 *
 * @returns {string | undefined}
 */
export function whyNoNamespaces() {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  for (const tool of ['ip', 'nft', 'ss', 'python3']) {
    try {
      execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' })
    } catch {
      return `${tool} is not installed`
    }
  }
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun'
  const name = `${prefix}${process.pid}try`
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: 'ignore' })
    execFileSync('ip', ['netns', 'exec', name, 'nft', 'add', 'table', 'inet', 'lab'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'this machine does not allow them'
  } finally {
    deleteNamespace(name)
  }
}

/** @param {string} name */
function deleteNamespace(name) {
  try {
    execFileSync('ip', ['netns', 'delete', name], { stdio: 'ignore' })
  } catch {
    // It was never made.
  }
  rmSync(`${etc}/${name}`, { recursive: true, force: true })
}

/** Takes away what runs that were killed have left behind: namespaces that carry the number of a process that is gone. */
export function sweep() {
  const names = existsSync('/var/run/netns') ? readdirSync('/var/run/netns') : []
  for (const name of names) {
    const pid = Number(new RegExp(`^${prefix}(\\d+)`).exec(name)?.[1])
    if (pid > 0 && !existsSync(`/proc/${pid}`)) deleteNamespace(name)
  }
}

/** Takes everything down at once; for the end of the process. */
function closeAllNow() {
  for (const network of [...standing]) network.closeNow()
}

process.on('exit', closeAllNow)

export class Network {
  /** @type {Record<HostName, string>} */
  hosts
  #roundTripMs
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #cables
  /** @type {Promise<never> | undefined} */
  #cut
  /** @type {(() => void)[]} */
  #answers = []

  /** @param {number} roundTripMs */
  constructor(roundTripMs) {
    made += 1
    const name = `${prefix}${process.pid}x${made}`
    this.hosts = { caller: `${name}c`, router: `${name}r`, far: `${name}f` }
    this.#roundTripMs = roundTripMs
    standing.add(this)
  }

  /**
   * @param {number} roundTripMs between the caller and the far side
   * @returns {Promise<Network>}
   */
  static async open(roundTripMs) {
    const network = new Network(roundTripMs)
    try {
      await network.#build()
      return network
    } catch (error) {
      network.closeNow()
      throw error
    }
  }

  async #build() {
    const { caller, router, far } = this.hosts
    mkdirSync(`${etc}/${caller}`, { recursive: true })
    writeFileSync(
      `${etc}/${caller}/resolv.conf`,
      `nameserver ${addresses.resolver}\noptions timeout:1 attempts:1 ndots:1\n`,
    )
    await shell(`for host in ${caller} ${router} ${far}; do ip netns add $host; ip -n $host link set lo up; done`)
    const line = spawn('ip', ['netns', 'exec', router, 'python3', delayLine, caller, far], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#cables = line
    this.#cut = once(line, 'exit').then(() => {
      throw new Error('the cables ended')
    })
    this.#cut.catch(() => {})
    line.stdin.on('error', () => {})
    createInterface({ input: line.stdout }).on('line', () => this.#answers.shift()?.())
    await this.#answered()
    await shell(`
      ip -n ${caller} addr add ${addresses.caller}/24 dev c0
      ip -n ${caller} link set c0 up
      ip -n ${caller} route add default via ${addresses.router}
      ip -n ${router} addr add ${addresses.router}/24 dev r0
      ip -n ${router} addr add 10.77.2.1/24 dev r1
      ip -n ${router} link set r0 up
      ip -n ${router} link set r1 up
      for address in ${addresses.peer} ${addresses.elsewhere} ${addresses.resolver}; do
        ip -n ${far} addr add $address/24 dev s0
      done
      ip -n ${far} link set s0 up
      ip -n ${far} route add default via 10.77.2.1
      ip netns exec ${router} sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0`)
    const oneWayMs = this.#roundTripMs / 2
    await this.cables({ nearMs: 0.2 * oneWayMs, farMs: 0.8 * oneWayMs })
  }

  /**
   * Sets what the cables do.
   *
   * @param {Cables} settings
   */
  async cables(settings) {
    const line = this.#cables
    if (line?.stdin === undefined || line.stdin === null) throw new Error('the network is down')
    line.stdin.write(`${JSON.stringify(settings)}\n`)
    await this.#answered()
  }

  async #answered() {
    /** @type {Promise<void>} */
    const answer = new Promise((resolve) => {
      this.#answers.push(resolve)
    })
    await Promise.race([answer, this.#cut])
  }

  /**
   * Runs a shell command on one of the hosts, and gives what it printed.
   *
   * @param {HostName} host
   * @param {string} command
   */
  async run(host, command) {
    const { stdout } = await execute('ip', ['netns', 'exec', this.hosts[host], 'sh', '-ec', command])
    return stdout
  }

  /**
   * Puts rules into a chain of one host's filter, for example `tcp dport 80 drop`.
   *
   * @param {HostName} host
   * @param {'input' | 'output' | 'forward' | 'prerouting'} hook
   * @param {...string} rules
   */
  async filter(host, hook, ...rules) {
    const chain = `add table inet lab\nadd chain inet lab ${hook} { type filter hook ${hook} priority 0 ; }`
    await this.#nft(host, [chain, ...rules.map((rule) => `add rule inet lab ${hook} ${rule}`)].join('\n'))
  }

  /**
   * Takes every rule of a host's filter away again.
   *
   * @param {HostName} host
   */
  async clearFilter(host) {
    await this.#nft(host, 'add table inet lab\ndelete table inet lab')
  }

  /**
   * Makes the router a NAT gateway: what comes from the caller leaves under the router's own address.
   *
   * @param {string} how for example `masquerade` or `masquerade random`
   */
  async masquerade(how) {
    await this.#nft(
      'router',
      `add table ip labnat
      add chain ip labnat out { type nat hook postrouting priority 100 ; }
      add rule ip labnat out oifname "r1" ${how}`,
    )
  }

  /**
   * Makes the router a balancer: what is dialled at `addresses.balanced` goes to this address. Flows that it knows stay
   * where they are when it is called again with another.
   *
   * @param {string} target
   */
  async balance(target) {
    await this.#nft(
      'router',
      `add table ip labbalance
      delete table ip labbalance
      add table ip labbalance
      add chain ip labbalance in { type nat hook prerouting priority -100 ; }
      add rule ip labbalance in ip daddr ${addresses.balanced} dnat to ${target}`,
    )
  }

  /**
   * @param {HostName} host
   * @param {string} script
   */
  async #nft(host, script) {
    const running = execute('ip', ['netns', 'exec', this.hosts[host], 'nft', '-f', '-'])
    running.child.stdin?.end(`${script}\n`)
    await running
  }

  /** Takes the network down. Its processes are their starter's to end. */
  close() {
    this.closeNow()
  }

  closeNow() {
    if (!standing.delete(this)) return
    this.#cables?.kill('SIGKILL')
    for (const name of Object.values(this.hosts)) deleteNamespace(name)
  }
}

/** @param {string} script */
async function shell(script) {
  await execute('sh', ['-ec', script])
}
