/** The S3 client of AWS over offhook, its own retries switched off, against a service that loses one connection in five. */

import { createHash } from 'node:crypto'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { FetchHttpHandler } from '@smithy/fetch-http-handler'
import { createClient, isOffhookError } from 'offhook'
import { misdeeds, type RudeServer } from 'offhook/testing'
import { resilient } from 'offhook/undici'
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici'
import { describe, expect, test } from 'vitest'
import { flakyService, type Loss, lostConnections } from './flaky-service.js'

const content = 'who hung up '.repeat(2_000)
const digest = createHash('sha256').update(content).digest('hex')
const listing = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult><Name>lines</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>
<Contents><Key>call.txt</Key><Size>${content.length}</Size></Contents></ListBucketResult>`

/** The client says on every request which call it belongs to. */
const service = (loss: Loss) =>
  flakyService(
    loss,
    {
      'GET /lines/call.txt': { headers: { etag: '"1"', 'content-type': 'text/plain' }, body: content },
      'PUT /lines/call.txt': { headers: { etag: '"1"' } },
      'DELETE /lines/call.txt': { status: 204 },
      'GET /lines': { headers: { 'content-type': 'application/xml' }, body: listing },
      'GET /lines/': { headers: { 'content-type': 'application/xml' }, body: listing },
    },
    'amz-sdk-invocation-id',
  )

const settings = { random: () => 0 }
const before = getGlobalDispatcher()

const ways = {
  'client.fetch': (server: RudeServer) => {
    const client = createClient({ ...settings, tls: { ca: server.ca } })
    const handler = new FetchHttpHandler({ customFetch: client.fetch as typeof fetch })
    return { handler, close: () => client.close() }
  },
  'the global dispatcher': (server: RudeServer) => {
    const agent = new Agent({ connect: { ca: server.ca as string } })
    setGlobalDispatcher(agent.compose(resilient(settings)))
    const close = () => {
      setGlobalDispatcher(before)
      return agent.close()
    }
    return { handler: new FetchHttpHandler(), close }
  },
} as const

async function on(loss: Loss, way: keyof typeof ways, use: (s3: S3Client, server: RudeServer) => Promise<void>) {
  await using server = await service(loss)
  const { handler, close } = ways[way](server)
  const s3 = new S3Client({
    endpoint: server.url,
    region: 'nowhere',
    credentials: { accessKeyId: 'nobody', secretAccessKey: 'secret' },
    forcePathStyle: true,
    maxAttempts: 1,
    requestHandler: handler,
  })
  try {
    await use(s3, server)
  } finally {
    s3.destroy()
    await close()
  }
}

const place = { Bucket: 'lines', Key: 'call.txt' }
const put = (s3: S3Client) => s3.send(new PutObjectCommand({ ...place, Body: content }))
const get = async (s3: S3Client) => (await s3.send(new GetObjectCommand(place))).Body?.transformToString()
const count = 15

describe.each(Object.keys(ways) as (keyof typeof ways)[])('by %s', (way) => {
  test.each(['unsent', 'idle'] as const)('connections lost %s: everything succeeds, and is executed once', (loss) =>
    on(loss, way, async (s3, server) => {
      for (let index = 0; index < count; index++) {
        await put(s3)
        expect(await get(s3)).toBe(content)
        const list = await s3.send(new ListObjectsV2Command({ Bucket: 'lines' }))
        expect(list.Contents?.map(({ Key }) => Key)).toEqual(['call.txt'])
        await s3.send(new DeleteObjectCommand(place))
      }
      expect(server.ledger.entries()).toHaveLength(4 * count)
      expect(server.ledger.entries().every(({ executed }) => executed === 1)).toBe(true)
      const stored = server.ledger.entries().filter(({ method }) => method === 'PUT')
      expect(stored.every(({ arrivals }) => arrivals[0]?.executions[0]?.digest === digest)).toBe(true)
      expect(lostConnections(server)).toBeGreaterThan(3)
    }),
  )

  test('connections lost after the request was heard: what is read is read again, and what is stored is what was sent', () =>
    on('heard', way, async (s3, server) => {
      let failed = 0
      for (let index = 0; index < count; index++) {
        expect(await get(s3)).toBe(content)
        const error = await put(s3).then(
          () => undefined,
          (reason: Error) => reason,
        )
        if (error === undefined) continue
        failed++
        // The global fetch hands over a body that cannot be read twice, so the second half of the promise is not kept.
        expect(isOffhookError(error.cause) ? error.cause.stopReason : error).toBe('body')
      }
      expect(failed === 0).toBe(way === 'client.fetch')
      expect(server.ledger.duplicates().length).toBeGreaterThan(0)
      expect(server.ledger.corrupted()).toEqual([])
      const stored = server.ledger.entries().filter(({ method }) => method === 'PUT')
      for (const { arrivals } of stored)
        for (const { executions } of arrivals) expect(executions.map((one) => one.digest)).toEqual([digest])
    }))

  test('an object that is cut is never taken for a whole one', () =>
    on('idle', way, async (s3, server) => {
      for (const name of ['reset-mid-body-content-length', 'fin-mid-body-chunked'] as const) {
        server.route('GET /lines/call.txt', misdeeds[name])
        const error = await get(s3).catch((reason: unknown) => reason)
        expect(error).toBeInstanceOf(Error)
        const typed = isOffhookError(error) ? error : (error as Error).cause
        expect(typed).toMatchObject({ phase: 'body', delivery: 'partial' })
      }
    }))
})
