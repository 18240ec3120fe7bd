// The far sides in a process of their own: what they hold is not what is measured.
import { openFarSides } from './far-side.js'

// What was built, by an address that the compiler does not follow: it also runs before anything is built.
const testing = await import(new URL('../../dist/testing/rude-server.js', import.meta.url).href)
const { places, leave, close } = await openFarSides(testing)
process.on('message', (/** @type {{ leave?: number }} */ message) => {
  if (message.leave !== undefined) leave(message.leave)
})
process.on('disconnect', async () => {
  await close()
  process.exit()
})
process.send?.({ places })
