// A process that is asked questions, and may die of them.

import { fork } from 'node:child_process'

/**
 * Starts the module at once, and again when it has died. Whoever waits for an answer then hears how it ended.
 *
 * @param {URL} module that answers each message `{ key, …question }` by `{ key, answer }` or `{ key, error }`
 * @param {{ what: string, patienceMs: number }} about what it is called in complaints, and how long one answer may take: past that it is killed
 */
export function childProcess(module, { what, patienceMs }) {
  /** @typedef {{ resolve: (answer: any) => void, reject: (error: unknown) => void, timer: NodeJS.Timeout }} Question */
  /** @type {Map<number, Question>} */
  const asked = new Map()
  let stopped = false
  let child = start()

  function start() {
    const process = fork(module, { serialization: 'advanced' })
    process.on('message', (/** @type {any} */ { key, answer, error }) => {
      const question = asked.get(key)
      if (question === undefined) return
      asked.delete(key)
      clearTimeout(question.timer)
      if (error === undefined) question.resolve(answer)
      else question.reject(error)
    })
    process.once('exit', (code, signal) => {
      if (stopped) return
      const death = new Error(`${what} died: ${signal ?? `exit code ${code}`}`)
      for (const { reject, timer } of asked.values()) {
        clearTimeout(timer)
        reject(death)
      }
      asked.clear()
      child = start()
    })
    return process
  }

  return {
    /** How many answers are waited for. */
    get busy() {
      return asked.size
    },
    /**
     * @param {number} key of which there is one question at a time
     * @param {object} question
     * @returns {Promise<any>}
     */
    ask: (key, question) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          asked.delete(key)
          reject(
            new Error(
              `${what} did not answer for ${patienceMs} ms (asked for ${Object.keys(question).join() || 'its end'})`,
            ),
          )
          child.kill('SIGKILL')
        }, patienceMs)
        asked.set(key, { resolve, reject, timer })
        child.send({ key, ...question })
      }),
    /** Ends it; resolves when it has gone. */
    stop: () =>
      new Promise((resolve) => {
        stopped = true
        child.once('exit', resolve)
        child.disconnect()
      }),
  }
}
