// The far side, in a thread of its own: a server that closes is not held up by the client, nor the client by it.

import { parentPort, workerData } from 'node:worker_threads'
import { rudeServer } from '../../dist/testing/rude-server.js'

const idle = [{ wait: workerData.idleMs }, workerData.act]
const server = await rudeServer({ script: { request: [{ respond: { body: 'ok' } }], idle } })
parentPort.postMessage(server.url)
parentPort.once('message', async () => {
  parentPort.postMessage(server.ledger.duplicates().filter(({ method }) => method === 'POST').length)
  await server.close()
})
