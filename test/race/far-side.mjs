// The far side, in a thread of its own: a server that closes is not held up by the client, nor the client by it.

import { parentPort, workerData } from 'node:worker_threads'

// What was built, by an address that the compiler does not follow: it also runs before anything is built.
const { rudeServer } = await import(new URL('../../dist/testing/rude-server.js', import.meta.url).href)

if (parentPort === null) throw new Error('the far side runs in a thread of its own')
const port = parentPort
const idle = [{ wait: workerData.idleMs }, workerData.act]
const server = await rudeServer({ script: { request: [{ respond: { body: 'ok' } }], idle } })
port.postMessage(server.url)
port.once('message', async () => {
  port.postMessage(
    server.ledger.duplicates().filter((/** @type {{ method: string }} */ entry) => entry.method === 'POST').length,
  )
  await server.close()
})
