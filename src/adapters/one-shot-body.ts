/**
 * A body that can be read once: a stream, an async iterable, an iterator. It can be sent again for as long as nobody has
 * touched it, so each attempt reads it through a guard that notes the first read.
 */

import { finished, Readable } from 'node:stream'

/** What can be read once. */
export type ReadOnce = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | IterableIterator<Uint8Array>

export class OneShotBody {
  readonly #source: ReadOnce
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  /** The first read has begun: the beginning of the body is gone. */
  touched = false

  constructor(source: ReadOnce) {
    this.#source = source
    // It can fail before anybody reads it; whoever reads it will be told, and until then nobody must be thrown at.
    if (isDestroyable(source)) source.on('error', ignore)
  }

  /** What the next attempt sends. */
  guard(): ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> {
    const source = this.#source
    if (source instanceof ReadableStream) return this.#guardStream(source)
    return source instanceof Readable ? this.#guardReadable(source) : this.#guardIterable(source)
  }

  /** The call has failed: whoever fills the source is to know. */
  cancel(reason: unknown): void {
    const source = this.#source
    if (source instanceof ReadableStream) {
      const cancelled = this.#reader === undefined ? source.cancel(reason) : this.#reader.cancel(reason)
      cancelled.catch(ignore)
    } else if (isDestroyable(source)) {
      source.destroy(reason instanceof Error ? reason : undefined)
    }
  }

  /**
   * Lets whoever fills the source know when the call fails; not when nothing of it was even taken, for then its caller
   * may want to send it in another way.
   */
  follow<Answer>(call: Promise<Answer>, isMistaken: () => boolean): Promise<Answer> {
    return call.catch((error: unknown) => {
      if (!isMistaken()) this.cancel(error)
      throw error
    })
  }

  #guardStream(source: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          this.touched = true
          this.#reader ??= source.getReader()
          const { done, value } = await this.#reader.read()
          if (done) controller.close()
          else controller.enqueue(value)
        },
        cancel: (reason) => {
          // An attempt that never read leaves the source to the next one.
          if (this.touched) this.cancel(reason)
        },
      },
      // Without this the stream would be read before anybody asks for it.
      { highWaterMark: 0 },
    )
  }

  /** A stream again: read by its events, which costs a third less than to iterate over it. */
  #guardReadable(source: Readable): Readable {
    let begun = false
    const guard = new Readable({
      objectMode: source.readableObjectMode,
      read: () => {
        if (!begun) begin()
        source.resume()
      },
      // An attempt that never read leaves the source to the next one.
      destroy: (error, done) => {
        source.off('data', pass)
        if (this.touched) this.cancel(error ?? undefined)
        done(error)
      },
    })
    const pass = (chunk: unknown) => {
      if (!guard.push(chunk)) source.pause()
    }
    const begin = () => {
      begun = true
      this.touched = true
      source.on('data', pass)
      finished(source, { writable: false }, (error) => {
        if (error) guard.destroy(error)
        else guard.push(null)
      })
    }
    return guard
  }

  async *#guardIterable(source: Exclude<ReadOnce, ReadableStream>): AsyncGenerator<Uint8Array> {
    this.touched = true
    yield* source
  }
}

/** A body for `fetch` that only a guard can make repeatable; one that is already in use is left to fetch to refuse. */
export function isOneShot(body: unknown): body is ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> {
  return isStream(body) && !isInUse(body)
}

/**
 * A body for undici itself, which takes iterators too, and what is left of a stream that was partly read: sent a
 * second time these would be empty, and nobody would notice.
 */
export function isReadOnce(body: unknown): body is ReadOnce {
  return isStream(body) || (typeof body === 'object' && body !== null && 'next' in body && Symbol.iterator in body)
}

function isStream(body: unknown): body is ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && (body instanceof ReadableStream || Symbol.asyncIterator in body)
}

function isInUse(body: object): boolean {
  return (body as { locked?: boolean }).locked === true || Readable.isDisturbed(body as NodeJS.ReadableStream)
}

function isDestroyable(source: object): source is NodeJS.ReadableStream & { destroy(error?: Error): void } {
  return (
    'destroy' in source && typeof source.destroy === 'function' && 'on' in source && typeof source.on === 'function'
  )
}

function ignore(): void {}
