import { Buffer } from 'node:buffer'
import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'

/** The error codes of RFC 9113 §7 by name. */
export const H2_CODES = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const

/** Name of an HTTP/2 error code, as RFC 9113 spells it. */
export type H2Code = keyof typeof H2_CODES

const RST_STREAM = 3
const PING = 6
const GOAWAY = 7
const ACK = 1
const HEADER_BYTES = 9
const PREFACE_BYTES = 24
/** What our PINGs carry, and their answers bring back. */
const OUR_PING = Buffer.from('offhook?')

/**
 * Stands between the TLS socket and Node's own HTTP/2 session, and knows where each frame begins. Node does what is right
 * (SETTINGS, flow control, HPACK); the tap adds the frames that Node would not send, and holds back those that it would. What
 * the client hears so is a well-formed conversation with a server that is rude on purpose.
 */
export class FrameTap extends Duplex {
  readonly #socket: TLSSocket
  readonly #onChange: () => void
  readonly #ended = new Set<number>()
  readonly #waiting: (() => void)[] = []
  #mute = false
  #answersPings = true
  #leaving = false
  #outgoing: Buffer = Buffer.alloc(0)
  #incoming: Buffer = Buffer.alloc(0)
  #skip = PREFACE_BYTES
  /** Resolves when Node's SETTINGS are out: nothing may come before them (RFC 9113 §3.4). */
  readonly greeted: Promise<void>
  #greet = () => {}
  /** PINGs that the client has sent. */
  pings = 0
  /** Streams that the client has ended with RST_STREAM: which, and with which code. */
  readonly cancelled = new Map<number, number>()

  /** @param onChange called when the client has sent a PING or a RST_STREAM */
  constructor(socket: TLSSocket, onChange: () => void) {
    // `Http2Session` ends the stream under it when it is done; the connection's end is a matter of the script alone.
    super({ allowHalfOpen: true, autoDestroy: false, emitClose: false })
    this.#socket = socket
    this.#onChange = onChange
    this.greeted = new Promise((resolve) => {
      this.#greet = resolve
    })
    // HTTP/2's own windows bound what comes; a socket that is not read would not even see the client leave.
    socket.on('data', (bytes: Buffer) => this.#forward(bytes))
    socket.on('end', () => this.push(null))
    socket.on('close', () => this.destroy())
  }

  /** From now on not one byte goes out: the peer of a connection that something between has forgotten. */
  mute(): void {
    this.#mute = true
  }

  /** From now on PINGs are read and not acknowledged. */
  ignorePings(): void {
    this.#answersPings = false
  }

  /** RST_STREAM; nothing of that stream goes out after it. */
  resetStream(stream: number, code: H2Code): void {
    const payload = Buffer.alloc(4)
    payload.writeUInt32BE(H2_CODES[code])
    this.#send(frame(RST_STREAM, stream, payload))
    this.#ended.add(stream)
  }

  /** GOAWAY, with whatever stream as the last that was or might be processed. The connection stays open. */
  goaway(lastStream: number, code: H2Code): void {
    const payload = Buffer.alloc(8)
    this.#leaving = true
    payload.writeUInt32BE(lastStream, 0)
    payload.writeUInt32BE(H2_CODES[code], 4)
    this.#send(frame(GOAWAY, 0, payload))
  }

  /** Resolves when the client has read everything that was sent: when it has answered a PING that comes after. */
  heard(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#send(frame(PING, 0, OUR_PING))
    })
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#outgoing = Buffer.concat([this.#outgoing, chunk])
    const passed: Buffer[] = []
    for (const { bytes, type, flags, stream } of this.#takeFrames()) {
      const unwanted = type === PING && (flags & ACK) === ACK && !this.#answersPings
      // Node's own GOAWAY would name more streams than ours did, which is an error (RFC 9113 §6.8).
      const outdone = type === GOAWAY && this.#leaving
      if (!unwanted && !outdone && !this.#ended.has(stream)) passed.push(bytes)
    }
    if (passed.length > 0) this.#send(Buffer.concat(passed))
    this.#greet()
    // Node writes on when this was taken, not when it has arrived: what is between is the kernel's.
    done()
  }

  override _final(done: (error?: Error | null) => void): void {
    done()
  }

  override _destroy(_error: Error | null, done: (error?: Error | null) => void): void {
    done()
  }

  #send(bytes: Buffer): void {
    if (!this.#mute && this.#socket.writable) this.#socket.write(bytes)
  }

  *#takeFrames(): Generator<Frame> {
    for (;;) {
      const next = frameAt(this.#outgoing)
      if (next === undefined) return
      this.#outgoing = this.#outgoing.subarray(next.bytes.length)
      yield next
    }
  }

  /** Listens to what the client says; all of it goes on to Node, save the answers to PINGs that Node did not send. */
  #forward(bytes: Buffer): void {
    const preface = bytes.subarray(0, this.#skip)
    this.#skip -= preface.length
    this.#incoming = Buffer.concat([this.#incoming, bytes.subarray(preface.length)])
    if (preface.length > 0) this.push(preface)
    for (;;) {
      const next = frameAt(this.#incoming)
      if (next === undefined) return
      this.#incoming = this.#incoming.subarray(next.bytes.length)
      if (!this.#isOurs(next)) this.push(next.bytes)
    }
  }

  /** Takes note of a frame of the client's; true when it answers a PING of our own. */
  #isOurs({ type, flags, stream, bytes }: Frame): boolean {
    if (type === RST_STREAM) this.cancelled.set(stream, bytes.readUInt32BE(HEADER_BYTES))
    if (type === RST_STREAM) this.#onChange()
    if (type !== PING) return false
    if ((flags & ACK) === 0) {
      this.pings += 1
      this.#onChange()
      return false
    }
    if (!bytes.subarray(HEADER_BYTES).equals(OUR_PING)) return false
    this.#waiting.shift()?.()
    return true
  }
}

interface Frame {
  readonly bytes: Buffer
  readonly type: number
  readonly flags: number
  readonly stream: number
}

/** The frame that the bytes begin with, once it is there whole (RFC 9113 §4.1). */
function frameAt(bytes: Buffer): Frame | undefined {
  if (bytes.length < HEADER_BYTES) return undefined
  const length = HEADER_BYTES + bytes.readUIntBE(0, 3)
  if (bytes.length < length) return undefined
  return {
    bytes: bytes.subarray(0, length),
    type: bytes.readUInt8(3),
    flags: bytes.readUInt8(4),
    stream: bytes.readUInt32BE(5) & 0x7fffffff,
  }
}

function frame(type: number, stream: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUIntBE(payload.length, 0, 3)
  header.writeUInt8(type, 3)
  header.writeUInt32BE(stream, 5)
  return Buffer.concat([header, payload])
}
