// What outlives the worlds of a process, and what no call hears of.

/** What a client, or a test of one, may leave behind: a timer, a socket, something due. */
const resources = /^(?:Timeout|TCP|TLS|Pipe|Immediate|HTTP2|GetAddrInfo)/

/** How many of them there are now, whatever made them. */
export function resourcesNow() {
  return process.getActiveResourcesInfo().filter((kind) => resources.test(kind)).length
}

/**
 * Resolves with how many more resources there are than `before`, as soon as there are none more, or after two seconds.
 *
 * @param {number} before
 */
export async function resourcesLeft(before) {
  // The timer of this wait is one of them.
  for (let look = 0; look < 100 && resourcesNow() > before; look++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return Math.max(0, resourcesNow() - before)
}

/** @param {(fault: string) => void} tell what no call hears of, and no caller can catch */
export function listenForStrays(tell) {
  const onRejection = (/** @type {unknown} */ reason) =>
    tell(`unhandled rejection: ${reason instanceof Error ? reason.stack : reason}`)
  const onException = (/** @type {Error} */ error) => tell(`uncaught exception: ${error.stack}`)
  const onWarning = (/** @type {Error} */ warning) => {
    if (warning.name !== 'ExperimentalWarning') tell(`warning: ${warning.stack}`)
  }
  process.on('unhandledRejection', onRejection)
  process.on('uncaughtException', onException)
  process.on('warning', onWarning)
  return {
    stop() {
      process.off('unhandledRejection', onRejection)
      process.off('uncaughtException', onException)
      process.off('warning', onWarning)
    },
  }
}
