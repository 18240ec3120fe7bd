/**
 * Looks names up for `net.connect`, and learns from what becomes of the dial: an address that has just failed is tried
 * last by the next one. Whether a failure counts, and for how long, is the memory's to judge.
 */

import dns from 'node:dns'
import type { LookupFunction, Socket } from 'node:net'
import type { Clock } from '../clock.js'

/** Remembers which addresses failed. */
export interface AddressJudge {
  failed(now: number, endpoint: { address: string; port: number }, code?: string): void
  worked(endpoint: { address: string; port: number }): void
  hasFailed(now: number, endpoint: { address: string; port: number }): boolean
  order<Found extends { readonly address: string }>(now: number, port: number, found: readonly Found[]): Found[]
}

/** One for all dials that are to learn from each other. */
export class AddressBook {
  readonly judge: AddressJudge
  readonly clock: Clock
  readonly lookup: LookupFunction

  /** @param lookup how names are looked up; `dns.lookup` unless it is given */
  constructor(judge: AddressJudge, clock: Clock, lookup: LookupFunction | undefined) {
    this.judge = judge
    this.clock = clock
    this.lookup = lookup ?? dns.lookup
  }

  /** For one dial, to one port. */
  dial(port: number): DialledAddresses {
    return new DialledAddresses(this, port)
  }
}

const none: readonly string[] = []

/**
 * The addresses of one dial. Give its `lookup` to `net.connect`, then `watch` the socket, then say how the dial went:
 * `worked` when the connection is ready to be used, `failed` when it is not going to be.
 */
export class DialledAddresses {
  readonly #book: AddressBook
  readonly #port: number
  #found: readonly string[] = none
  #current: string | undefined

  constructor(book: AddressBook, port: number) {
    this.#book = book
    this.#port = port
  }

  /** All addresses of the name, those that failed of late last. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    let sync = true
    const answer: typeof callback = (...result) => {
      // Events before the listeners stand would be lost; a look-up of the user's may answer too soon.
      if (sync) process.nextTick(callback, ...result)
      else callback(...result)
    }
    try {
      this.#book.lookup(hostname, { ...options, all: true }, (error, found, family) => {
        if (error) return answer(error, [])
        // One that heeds no `all` gives a single address.
        const list = Array.isArray(found) ? found : [{ address: found, family: family ?? 0 }]
        const ordered = this.#book.judge.order(this.#book.clock.now(), this.#port, list)
        const [first] = ordered
        if (first === undefined) return answer(new NoAddress(hostname), [])
        this.#found = ordered.map(({ address }) => address)
        if (options.all === true) answer(null, ordered)
        else answer(null, first.address, first.family)
      })
    } catch (error) {
      answer(error as NodeJS.ErrnoException, [])
    }
    sync = false
  }

  /** Follows the socket while it connects: of several addresses each is tried until one answers. */
  watch(socket: Socket): void {
    const failed = (address: string, code?: string) =>
      this.#book.judge.failed(this.#book.clock.now(), { address, port: this.#port }, code)
    socket.on('connectionAttempt', (address: string) => {
      this.#current = address
    })
    socket.on('connectionAttemptTimeout', (address: string) => failed(address))
    // Typed without the error that it comes with.
    socket.on('connectionAttemptFailed', (...event: unknown[]) => {
      const [address, , , error] = event as [string, number, number, NodeJS.ErrnoException | undefined]
      failed(address, error?.code)
    })
  }

  /** The connection is ready: TCP, and TLS where that was asked for. */
  worked(): void {
    if (this.#current !== undefined) this.#book.judge.worked({ address: this.#current, port: this.#port })
  }

  /** The dial failed, or took too long, at the address that it had come to. */
  failed(code?: string): void {
    if (this.#current === undefined) return
    this.#book.judge.failed(this.#book.clock.now(), { address: this.#current, port: this.#port }, code)
  }

  /** How many other addresses of the name have not failed of late. */
  get untried(): number {
    const now = this.#book.clock.now()
    const others = this.#found.filter((address) => address !== this.#current)
    return others.filter((address) => !this.#book.judge.hasFailed(now, { address, port: this.#port })).length
  }
}

/** A look-up of the user's that found nothing and did not say so. Node's own word for it. */
class NoAddress extends Error {
  readonly code = 'ENOTFOUND'
  readonly syscall = 'getaddrinfo'
  readonly hostname: string
  constructor(hostname: string) {
    super(`the look-up of ${hostname} gave no address`)
    this.hostname = hostname
  }
}
