/** Where the demo's requests go, and what its servers do that is not among the ready-made misdeeds. */

import { type Behaviour, type RudeServerOptions, refusedPort, rudeServer, type Script } from '../testing/rude-server.js'
import type { Target } from './demo-line.js'

/** A rude server that does this. */
export function hostedBy(script: Behaviour, options?: RudeServerOptions): () => Promise<Target> {
  return async () => {
    const server = await rudeServer({ ...options, script })
    return { url: server.url, server, [Symbol.asyncDispose]: () => server.close() }
  }
}

/** A port that refuses connections. */
export async function nobodyListens(): Promise<Target> {
  const port = await refusedPort()
  return { url: port.url, [Symbol.asyncDispose]: () => port.close() }
}

/** A name that no resolver knows: the domain is reserved for that (RFC 2606 §2). */
export async function noSuchName(): Promise<Target> {
  return { url: 'http://nobody.invalid/', [Symbol.asyncDispose]: async () => {} }
}

/** Knows a key again: gives the answer without executing the request. */
export const replay: Script = {
  // A script that has an `execute` step executes nowhere else, and this one never comes so far.
  request: [{ respond: { body: 'the order of before' } }, { served: Number.MAX_SAFE_INTEGER }, 'execute'],
}

/** Half of a body, and a RST when the client has long read it. */
export function cutLate(framing: 'length' | 'close'): Script {
  return { request: [{ respond: { body: { bytes: 1000 }, framing, cut: { body: 500 } } }, { wait: 150 }, 'rst'] }
}

/** A stream of 256 KiB, made afresh at each call. */
export function upload(): ReadableStream<Uint8Array> {
  let left = 8
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(new Uint8Array(32 * 1024))
      else controller.close()
    },
  })
}
