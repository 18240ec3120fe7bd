/** What the headers of an answer say of who is on the way: server, proxies, load balancers. Names of marks, no values. */

import type { Circumstances } from '../failure/circumstances.js'
import type { HeaderReader } from './handler-shapes.js'

/** What the headers of an answer say. */
export type AnswerMarks = NonNullable<Circumstances['headers']>

/** Headers that only a load balancer, a CDN or a platform's front sets, by the documentation of each. */
const marks: readonly string[] = [
  'cf-ray',
  'fly-request-id',
  'x-akamai-request-id',
  'x-amz-cf-id',
  'x-amzn-requestid',
  'x-amzn-trace-id',
  'x-azure-ref',
  'x-cache',
  'x-cloud-trace-context',
  'x-envoy-upstream-service-time',
  'x-ms-edge-ref',
  'x-railway-edge',
  'x-render-origin-server',
  'x-served-by',
  'x-varnish',
  'x-vercel-id',
]

/** Reads what an answer's headers say of the way. `undefined` where they say nothing of it. */
export function answerMarks(header: HeaderReader): AnswerMarks | undefined {
  const server = product(header('server'))
  const via = product(header('via'))
  const kept = keepAlive(header('keep-alive'))
  const found = marks.filter((name) => header(name) !== undefined)
  const close = announcesClose(header)
  const said = {
    ...(server !== undefined && { server }),
    ...(via !== undefined && { via }),
    ...(kept?.timeoutMs !== undefined && { keepAliveMs: kept.timeoutMs }),
    ...(kept?.max !== undefined && { keepAliveMax: kept.max }),
    ...(found.length > 0 && { marks: found }),
    ...(close && { connectionClose: close }),
  }
  return Object.keys(said).length === 0 ? undefined : said
}

/** The answer announces the end of the connection (RFC 9112 §9.6). */
export function announcesClose(header: HeaderReader): boolean {
  return /\bclose\b/i.test(header('connection') ?? '')
}

/** The hop-by-hop header in which a server says how long it will keep the connection (RFC 2068 §19.7.1.1). */
export function keepAlive(value: string | undefined): { timeoutMs?: number; max?: number } | undefined {
  if (value === undefined) return undefined
  const timeout = value.match(/\btimeout\s*=\s*"?(\d{1,9})/i)?.[1]
  const max = value.match(/\bmax\s*=\s*"?(\d{1,9})/i)?.[1]
  return {
    ...(timeout !== undefined && { timeoutMs: Number(timeout) * 1000 }),
    ...(max !== undefined && { max: Number(max) }),
  }
}

/** The beginning of a name of software: what can be printed on a line. */
function product(value: string | undefined): string | undefined {
  const text = value
    ?.replace(/[^\x20-\x7e]/g, '')
    .slice(0, 80)
    .trim()
  return text === undefined || text === '' ? undefined : text
}
