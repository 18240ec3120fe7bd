// Far sides in a process of their own: a server that closes is not held up by the client, nor the client by it, and where one
// of the two dies everybody sees which.

import { openFarSide } from './far-side.js'

// What was built, by an address that the compiler does not follow: it also runs before anything is built.
const testing = await import(new URL('../../dist/testing/rude-server.js', import.meta.url).href)

if (process.send === undefined) throw new Error('the far side runs in a process of its own')
const send = process.send.bind(process)
/** @type {Map<number, { close(): Promise<unknown> }>} */
const sides = new Map()

process.on('message', async (/** @type {any} */ { key, open }) => {
  try {
    if (open === undefined) {
      const side = sides.get(key)
      sides.delete(key)
      send({ key, answer: await side?.close() })
      return
    }
    const side = await openFarSide(open, testing)
    sides.set(key, side)
    send({ key, answer: { url: side.url, ca: side.ca } })
  } catch (error) {
    send({ key, error })
  }
})
process.once('disconnect', () => process.exit())
