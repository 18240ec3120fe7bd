// The public types as a user meets them: never run, compiled by `npm run types` against the sources, and by
// `npm run pack:check` against the packed declarations, under `nodenext` and `bundler`, with each TypeScript it tries.

import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import {
  type AnyOffhookError,
  type Client,
  type ClientOptions,
  ConnectionResetError,
  classify,
  createClient,
  type Delivery,
  type Diagnosis,
  explain,
  type Failure,
  type FailureKind,
  fetch,
  isOffhookError,
  type NotAdmittedError,
  type OffhookError,
  type Phase,
  request,
  TimeoutError,
} from 'offhook'
import { instrument } from 'offhook/opentelemetry'
import { type Hangup, watchClients } from 'offhook/server'
import { datagram, dial, redial } from 'offhook/socket'
import { failTimes, misdeeds, rudeServer } from 'offhook/testing'
import { resilient } from 'offhook/undici'
import { Agent } from 'undici'

/** Two types are the same one; `any` is the same as `any` alone. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const proved = <T extends true>(proof?: T): T | undefined => proof

// Calls: what goes in, what comes out.
export async function calls(client: Client): Promise<void> {
  const response = await fetch(new URL('https://api.example.com/'), { method: 'POST', body: 'x', timeout: 1_000 })
  proved<Same<typeof response, Response>>()
  const { statusCode, body } = await request('https://api.example.com/', { idempotencyKey: 'order-1' })
  proved<Same<typeof statusCode, number>>()
  const parsed: unknown = await body.json()
  proved<Same<typeof parsed, unknown>>()
  const dropIn: typeof globalThis.fetch = client.fetch as typeof globalThis.fetch
  await dropIn('https://api.example.com/')
  await client.fetch('https://api.example.com/', { body: () => new Blob(['fresh for each attempt']), method: 'PUT' })
  await client.request('https://api.example.com/', { dispatcher: new Agent(), retry: false, throwOnStatus: true })
  const { inFlight, origins } = client.stats()
  proved<Same<typeof inFlight, number>>()
  proved<Same<keyof typeof origins, string>>()
}

// Failures: `instanceof` and `kind` narrow, both ways.
export function caught(error: unknown): string {
  if (error instanceof ConnectionResetError) {
    proved<Same<typeof error.kind, 'reset'>>()
    return error.delivery
  }
  if (error instanceof TimeoutError) return error.limit ?? error.phase
  if (!isOffhookError(error)) return String(error)
  proved<Same<typeof error, AnyOffhookError>>()
  proved<Same<typeof error.kind, FailureKind>>()
  proved<Same<typeof error.mayHaveExecuted, boolean>>()
  proved<Same<typeof error.diagnosis, Diagnosis | undefined>>()
  const base: OffhookError & TypeError = error
  for (const attempt of base.attempts) proved<Same<typeof attempt.phase, Phase>>()
  switch (error.kind) {
    case 'dns':
      return error.temporary === true ? 'later' : 'never'
    case 'tls':
      return error.trouble ?? 'tls'
    case 'not-admitted':
      proved<Same<typeof error, NotAdmittedError>>()
      return error.admission ?? 'not admitted'
    case 'status':
      return String(error.status)
    case 'closed':
      // @ts-expect-error: what only another class has is not there
      return error.trouble
    default:
      return explain(error)
  }
}

export function named(error: unknown): Delivery {
  const failure: Failure = classify(error)
  // @ts-expect-error: a failure is one of the kinds, and this is none
  if (failure.kind === 'reseted') return 'unsent'
  return failure.delivery
}

// Options: everything optional, nothing else let in.
export const options: ClientOptions = {
  timeout: { connect: 2_000, headers: false, total: 15_000 },
  retry: { attempts: 4 },
  budget: 'aws2026',
  breaker: true,
  hedge: {},
}
export async function rejected(): Promise<void> {
  await using client = createClient(options)
  createClient()
  createClient({ retry: false, budget: false, timeout: 10_000 })
  // @ts-expect-error: an option that does not exist
  createClient({ retries: 3 })
  // @ts-expect-error: a limit that does not exist
  createClient({ timeout: { conect: 3 } })
  // @ts-expect-error: milliseconds are numbers
  createClient({ timeout: '10s' })
  // @ts-expect-error: a preset that does not exist
  createClient({ budget: 'aws' })
  // @ts-expect-error: `true` is the default and no value
  createClient({ retry: true })
  // @ts-expect-error: a key is a text
  await client.fetch('https://api.example.com/', { idempotencyKey: 17 })
  // @ts-expect-error: undici's request has no such option either
  await client.request('https://api.example.com/', { redirect: 'follow' })
}

// The other entrances.
export async function entrances(signal: AbortSignal): Promise<void> {
  const socket = await dial({ host: 'db.example.com', port: 5432, tls: true, timeout: 5_000, signal })
  const plain: Socket = socket
  plain.end()
  for await (const line of redial({ host: 'db.example.com', port: 5432, signal })) proved<Same<typeof line, Socket>>()
  const line = await datagram({ host: 'dns.example.com', port: 53 })
  proved<Same<Awaited<ReturnType<typeof line.request>>, Buffer>>()
  await line.close()
  // @ts-expect-error: a port is needed
  await datagram({ host: 'dns.example.com' })

  const handle = watchClients(createServer(), { onHangup: (hangup: Hangup) => console.log(hangup.phase) })
  handle.stop()
  // @ts-expect-error: an option that does not exist
  watchClients(createServer(), { onHangUp: () => {} })

  const dispatcher = new Agent().compose(resilient({ retry: { attempts: 2 } }))
  await dispatcher.close()

  using instrumentation = instrument({ propagate: (origin) => origin.endsWith('.example.com') })
  instrumentation.stop()

  await using server = await rudeServer({ script: misdeeds['reset-after-request'] })
  server.on(failTimes(2, misdeeds['reset-at-accept']))
  const executions: number = server.ledger.executions('order-1')
  console.log(executions)
  // @ts-expect-error: a misdeed that nobody knows
  server.on(misdeeds['reset-at-noon'])
}
