/**
 * Hears a signal for all the calls that it can end. One listener on the signal, however many they are: Node warns of a
 * leak from the eleventh on, and a signal may well stand for the life of a whole service.
 */

class Ear {
  readonly #signal: AbortSignal
  readonly #actions = new Set<() => void>()
  readonly #hear = () => {
    for (const action of [...this.#actions]) action()
  }

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  add(action: () => void): void {
    if (this.#actions.size === 0) this.#signal.addEventListener('abort', this.#hear)
    this.#actions.add(action)
  }

  delete(action: () => void): void {
    if (this.#actions.delete(action) && this.#actions.size === 0) this.#signal.removeEventListener('abort', this.#hear)
  }
}

const ears = new WeakMap<AbortSignal, Ear>()

/** Runs the action when the signal aborts, until {@link stopHearing}. */
export function hearAbort(signal: AbortSignal, action: () => void): void {
  let ear = ears.get(signal)
  if (ear === undefined) {
    ear = new Ear(signal)
    ears.set(signal, ear)
  }
  ear.add(action)
}

export function stopHearing(signal: AbortSignal, action: () => void): void {
  ears.get(signal)?.delete(action)
}
