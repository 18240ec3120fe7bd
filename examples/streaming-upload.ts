// A stream can be sent once. A function that opens it afresh lets an upload begin again after the connection broke.
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'offhook'
import { failTimes, misdeeds, rudeServer } from 'offhook/testing'

const folder = await mkdtemp(join(tmpdir(), 'offhook-example-'))
const file = join(folder, 'backup.bin')
await writeFile(file, new Uint8Array(300_000))

await using server = await rudeServer({ script: failTimes(1, misdeeds['reset-mid-upload']) })
await using client = createClient()

// PUT is idempotent: a second time does no harm. `request` and `fetch` both take a function as body.
const response = await client.fetch(`${server.url}/backup`, {
  method: 'PUT',
  headers: { 'x-request-id': 'backup-1' },
  body: () => createReadStream(file),
})
console.log(response.status)
await response.body?.cancel()

const [upload] = server.ledger.entries()
console.log(
  upload?.arrivals.map(({ bytes, received }) => (received ? `whole: ${bytes} bytes` : 'broken off')).join(', '),
)
await rm(folder, { recursive: true })
