import { type Misdeed, misdeedsBeforeAnswer } from './misdeeds-before-answer.js'
import { misdeedsInAnswer } from './misdeeds-in-answer.js'
import { misdeedsOfManners } from './misdeeds-of-manners.js'

export type { Misdeed } from './misdeeds-before-answer.js'

/**
 * Ready-made misdeeds by name: scripts that can be given to a rude server as they stand, in turns, or per path. Each says in one
 * line what it does. The words are the field's own: *reset* is RST, *fin* is FIN, *stall* is silence on an open connection,
 * *bare-fin* is FIN without close_notify.
 *
 * Where a response was begun before a RST, the script waits 20 ms, so that the client has read what came: a RST that overtakes
 * unread bytes is a misdeed of its own (`…-at-once`), and Node with libuv up to 1.51 shows it as a clean end.
 *
 * @example
 * ```ts
 * import { misdeeds, rudeServer } from 'offhook/testing'
 *
 * await using server = await rudeServer()
 * for (const [name, misdeed] of Object.entries(misdeeds)) {
 *   if (misdeed.over === 'tls') continue
 *   server.on(misdeed)
 *   const outcome = await fetch(server.url, { signal: AbortSignal.timeout(100) }).then(
 *     (response) => response.status,
 *     (error) => error.cause?.code ?? error.name,
 *   )
 *   console.log(name, misdeed.says, outcome)
 * }
 * ```
 */
export const misdeeds: { readonly [name in MisdeedName]: Misdeed } = {
  ...misdeedsBeforeAnswer,
  ...misdeedsInAnswer,
  ...misdeedsOfManners,
}

/** The name of a ready-made misdeed. */
export type MisdeedName =
  | keyof typeof misdeedsBeforeAnswer
  | keyof typeof misdeedsInAnswer
  | keyof typeof misdeedsOfManners
