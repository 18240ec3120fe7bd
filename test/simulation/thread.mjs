// A part of the histories, in a thread of its own.

import { parentPort, workerData } from 'node:worker_threads'
import { loadParts } from './parts.js'
import { simulate } from './simulation.js'

const { root, seed, histories } = workerData
const report = await simulate(await loadParts(new URL(root)), {
  seed,
  histories,
  onProgress: (done) => parentPort?.postMessage({ done }),
})
parentPort?.postMessage({ report })
