// The far side, in a thread of its own: a server that closes is not held up by the client, nor the client by it.

import { parentPort, workerData } from 'node:worker_threads'
import { rudeServer } from '../../dist/testing/rude-server.js'

if (parentPort === null) throw new Error('the far side runs in a thread of its own')
const port = parentPort
const idle = [{ wait: workerData.idleMs }, workerData.act]
const server = await rudeServer({ script: { request: [{ respond: { body: 'ok' } }], idle } })
port.postMessage(server.url)
port.once('message', async () => {
  port.postMessage(server.ledger.duplicates().filter(({ method }) => method === 'POST').length)
  await server.close()
})
