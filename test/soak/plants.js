/** Leaks, to see that they are found. Each is asked after every call, and holds what it takes until the end. */

import { connect } from 'node:net'

/** @typedef {(call: { number: number, error: unknown, signal: AbortSignal, port: number }) => void} Plant */

/** @type {Record<'listener' | 'error' | 'timer' | 'socket', { make: () => Plant, breaks: readonly string[] }>} */
export const plants = {
  listener: {
    make:
      () =>
      ({ signal }) =>
        signal.addEventListener('abort', () => {}),
    breaks: ['listeners'],
  },
  error: {
    make: () => {
      /** @type {unknown[]} */
      const kept = []
      return ({ error }) => {
        if (error !== undefined) kept.push(error)
      }
    },
    breaks: ['heap'],
  },
  timer: {
    make: () => () => void setTimeout(() => {}, 3_600_000).unref(),
    breaks: ['timers'],
  },
  socket: {
    make:
      () =>
      ({ number, port }) => {
        if (number % 100 === 0) connect(port, '127.0.0.1').on('error', () => {})
      },
    breaks: ['files', 'handles'],
  },
}
