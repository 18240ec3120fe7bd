import { createHash, type Hash } from 'node:crypto'
import type { RequestHead } from './request-parser.js'

/** One execution of a request: on which bytes of its body the server acted. */
export interface Execution {
  /** SHA-256 of those bytes, hexadecimal. */
  readonly digest: string
  readonly bytes: number
  /** False when the server acted before the request had arrived whole. */
  readonly complete: boolean
}

/** One time that a request came. */
export interface Arrival {
  /** Which connection of the server, from 1. */
  readonly connection: number
  /** The how-many-th request on that connection, from 1. */
  readonly requestOnConnection: number
  readonly headers: Readonly<Record<string, string>>
  /** What content-length announced; absent without one. */
  readonly announcedBytes?: number
  /** Bytes of the body that the server has read. */
  readonly bytes: number
  /** Whether the server has read the request to its end. */
  readonly received: boolean
  /** SHA-256 of the body bytes that were read so far, hexadecimal. */
  readonly digest: string
  readonly executions: readonly Execution[]
}

/** What the server knows of one request: an id together with a method and a path. */
export interface LedgerEntry {
  readonly id: string
  readonly method: string
  readonly path: string
  /** How often its head was read. */
  readonly began: number
  /** How often it was read to its end. */
  readonly received: number
  /** How often it was executed. */
  readonly executed: number
  readonly arrivals: readonly Arrival[]
}

/**
 * What arrived at the server, and what it did about it: the judge of a client. Requests are told apart by the id in their
 * `x-request-id` header (see the option `idHeader`), their method and their path; one without the header gets an id of its own.
 *
 * "Read" means read by the server as a program: bytes that its script left in the kernel are not counted.
 *
 * @example
 * ```ts
 * import assert from 'node:assert'
 * import { misdeeds, rudeServer } from 'offhook/testing'
 *
 * await using server = await rudeServer({ script: misdeeds['reset-after-request'] })
 * await fetch(server.url, { method: 'POST', body: 'one order', headers: { 'x-request-id': 'order-1' } }).catch(() => {})
 * assert.equal(server.ledger.executions('order-1'), 1)
 * assert.deepEqual(server.ledger.duplicates(), [])
 * ```
 */
export interface Ledger {
  /** Everything, in the order of first arrival. A copy: it does not change afterwards. */
  entries(): LedgerEntry[]
  /** How often a head with this id was read. */
  began(id: string): number
  /** How often a request with this id was read to its end. */
  received(id: string): number
  /**
   * How often a request with this id was executed; with `method`, only those. (A client that follows a 303 sends a GET with
   * the id of its POST.)
   */
  executions(id: string, method?: string): number
  /** The entries that were executed more than once. */
  duplicates(): LedgerEntry[]
  /**
   * The entries that did not always carry the same body: two executions of whole requests with different digests, or an
   * arrival that announced another length, or brought more bytes, than were executed. So is found a client that sends a PUT again with the body it has
   * used up: empty, complete, and executed.
   */
  corrupted(): LedgerEntry[]
  /** Requests whose head never became whole and readable, so that no id is known. */
  readonly fragments: number
  /** Forgets everything. */
  clear(): void
}

/** A request that is arriving; the exchange writes here what it reads and does. */
export interface ArrivalRecord {
  readonly id: string
  /** Whether the id came with the request. */
  readonly identified: boolean
  /** How often this id, method and path has come, this time included. */
  readonly attempt: number
  body(bytes: Buffer): void
  received(): void
  execute(): void
  /** Whether it was executed, this time. */
  readonly executed: boolean
}

interface Row {
  id: string
  method: string
  path: string
  arrivals: { -readonly [K in keyof Omit<Arrival, 'digest'>]: Arrival[K] }[]
  hashes: Hash[]
}

/** The ledger as the server sees it: it writes too. `onChange` is called at each change. */
export class LedgerBook implements Ledger {
  readonly #onChange: () => void
  readonly #idHeader: string
  #rows = new Map<string, Row>()
  #generated = 0
  #fragments = 0

  constructor(idHeader: string, onChange: () => void) {
    this.#idHeader = idHeader.toLowerCase()
    this.#onChange = onChange
  }

  get fragments(): number {
    return this.#fragments
  }

  entries(): LedgerEntry[] {
    return [...this.#rows.values()].map(toEntry)
  }

  began(id: string): number {
    return this.#sum(id, (row) => row.arrivals.length)
  }

  received(id: string): number {
    return this.#sum(id, countReceived)
  }

  executions(id: string, method?: string): number {
    return this.#sum(id, (row) => (method === undefined || row.method === method ? countExecuted(row) : 0))
  }

  duplicates(): LedgerEntry[] {
    return this.entries().filter((entry) => entry.executed > 1)
  }

  corrupted(): LedgerEntry[] {
    return this.entries().filter(isCorrupted)
  }

  clear(): void {
    this.#rows.clear()
    this.#fragments = 0
    this.#onChange()
  }

  /** A head that broke off or could not be read. */
  fragment(): void {
    this.#fragments += 1
    this.#onChange()
  }

  /** A head was read. */
  arrive(head: RequestHead, connection: number, requestOnConnection: number): ArrivalRecord {
    const given = head.headers[this.#idHeader]
    const id = given ?? `generated-${++this.#generated}`
    const key = JSON.stringify([id, head.method, head.path])
    const row = this.#rows.get(key) ?? { id, method: head.method, path: head.path, arrivals: [], hashes: [] }
    this.#rows.set(key, row)
    const hash = createHash('sha256')
    const executions: Execution[] = []
    const arrival: Row['arrivals'][number] = {
      connection,
      requestOnConnection,
      headers: head.headers,
      ...(head.announcedBytes !== undefined && { announcedBytes: head.announcedBytes }),
      bytes: 0,
      received: false,
      executions,
    }
    row.arrivals.push(arrival)
    row.hashes.push(hash)
    this.#onChange()
    const onChange = this.#onChange
    return {
      id,
      identified: given !== undefined,
      attempt: row.arrivals.length,
      body(bytes) {
        hash.update(bytes)
        arrival.bytes += bytes.length
        onChange()
      },
      received() {
        arrival.received = true
        onChange()
      },
      execute() {
        executions.push({ digest: digestOf(hash), bytes: arrival.bytes, complete: arrival.received })
        onChange()
      },
      get executed() {
        return executions.length > 0
      },
    }
  }

  #sum(id: string, count: (row: Row) => number): number {
    let sum = 0
    for (const row of this.#rows.values()) if (row.id === id) sum += count(row)
    return sum
  }
}

/** The digest so far; the hash itself can go on. */
function digestOf(hash: Hash): string {
  return hash.copy().digest('hex')
}

function countReceived(row: Row): number {
  return row.arrivals.filter((arrival) => arrival.received).length
}

function countExecuted(row: Row): number {
  return row.arrivals.reduce((sum, arrival) => sum + arrival.executions.length, 0)
}

function toEntry(row: Row): LedgerEntry {
  const arrivals = row.arrivals.map((arrival, at) => ({
    ...arrival,
    executions: [...arrival.executions],
    digest: digestOf(row.hashes[at] as Hash),
  }))
  return {
    id: row.id,
    method: row.method,
    path: row.path,
    began: arrivals.length,
    received: countReceived(row),
    executed: countExecuted(row),
    arrivals,
  }
}

function isCorrupted(entry: LedgerEntry): boolean {
  const whole = entry.arrivals.flatMap((arrival) => arrival.executions.filter((execution) => execution.complete))
  return whole.some((execution) => {
    if (execution.digest !== whole[0]?.digest) return true
    return entry.arrivals.some((arrival) => {
      const announcedOther = arrival.announcedBytes !== undefined && arrival.announcedBytes !== execution.bytes
      return announcedOther || arrival.bytes > execution.bytes
    })
  })
}
