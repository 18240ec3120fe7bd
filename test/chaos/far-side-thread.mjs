// Far sides in a thread of their own: a server that closes is not held up by the client, nor the client by it.

import { parentPort } from 'node:worker_threads'
import { openFarSide } from './far-side.js'

// What was built, by an address that the compiler does not follow: it also runs before anything is built.
const testing = await import(new URL('../../dist/testing/rude-server.js', import.meta.url).href)

if (parentPort === null) throw new Error('the far side runs in a thread of its own')
const port = parentPort
/** @type {Map<number, { close(): Promise<unknown> }>} */
const sides = new Map()

port.on('message', async ({ key, open }) => {
  try {
    if (open === undefined) {
      const side = sides.get(key)
      sides.delete(key)
      port.postMessage({ key, answer: await side?.close() })
      return
    }
    const side = await openFarSide(open, testing)
    sides.set(key, side)
    port.postMessage({ key, answer: { url: side.url, ca: side.ca } })
  } catch (error) {
    port.postMessage({ key, error })
  }
})
