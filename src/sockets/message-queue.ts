/** Messages that wait for a reader, and readers that wait for messages. Bounded: who does not read must not grow. */

interface Reader<Message> {
  resolve(result: IteratorResult<Message, undefined>): void
  reject(error: unknown): void
}

export class MessageQueue<Message> {
  readonly #most: number
  readonly #messages: Message[] = []
  readonly #readers: Reader<Message>[] = []
  /** A failure that no reader was there for. */
  #failure: { readonly error: unknown } | undefined
  #closed = false
  /** Messages that found the queue full. */
  dropped = 0

  /** @param most messages that may wait */
  constructor(most: number) {
    this.#most = most
  }

  /** False: there was no place, and the message is lost. */
  push(message: Message): boolean {
    const reader = this.#readers.shift()
    if (reader !== undefined) reader.resolve({ done: false, value: message })
    else if (this.#messages.length < this.#most) this.#messages.push(message)
    else {
      this.dropped++
      return false
    }
    return true
  }

  /** Told to the reader that waits, or else to the one that comes next; of several only the first. */
  fail(error: unknown): void {
    const reader = this.#readers.shift()
    if (reader !== undefined) reader.reject(error)
    else this.#failure ??= { error }
  }

  /** Nothing more will come. What waits can still be read. */
  close(): void {
    this.#closed = true
    for (const reader of this.#readers.splice(0)) reader.resolve({ done: true, value: undefined })
  }

  next(): Promise<IteratorResult<Message, undefined>> {
    const failure = this.#failure
    if (failure !== undefined) {
      this.#failure = undefined
      return Promise.reject(failure.error)
    }
    if (this.#messages.length > 0) return Promise.resolve({ done: false, value: this.#messages.shift() as Message })
    if (this.#closed) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject })
    })
  }
}
