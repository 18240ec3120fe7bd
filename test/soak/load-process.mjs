// The client of a soak, in a process of its own.
import { load } from './load.js'

// What was built, by an address that the compiler does not follow: it also runs before anything is built.
const built = (/** @type {string} */ name) => import(new URL(`../../dist/${name}.js`, import.meta.url).href)
const parts = await Promise.all(['index', 'sockets/socket', 'server/watch-clients'].map(built))
const offhook = Object.assign({}, ...parts)

process.once('message', async ({ plan, places }) => {
  const leave = (/** @type {number} */ port) => void process.send?.({ leave: port })
  const onSample = (/** @type {unknown} */ sample) => void process.send?.({ sample })
  const { failed } = await load(plan, { offhook, places, leave, onSample })
  process.send?.({ failed })
  process.disconnect()
})
