/** Probes of what comes back: statuses, encodings, bodies and the ways to read them. */

import { createHash } from 'node:crypto'
import { describe, digest, type Probe } from './drop-in-probe.js'
import { page } from './drop-in-server.js'

const hash = (name: string) => `${name}-${createHash(name).update(page).digest('base64')}`

/** Error statuses that offhook would repeat a GET for are asked for with a POST, which it leaves alone. */
const statuses = [
  200, 201, 202, 203, 206, 226, 299, 204, 205, 304, 400, 401, 403, 404, 405, 410, 411, 413, 418, 422, 451,
]
const repeatable = [408, 500, 501, 502, 503, 504, 505, 511, 599]

export const responses: readonly Probe[] = [
  ...statuses.map(
    (status) =>
      ({
        name: `${status}`,
        ask: (fetch, { url }) => fetch(`${url}/status?status=${status}`),
      }) satisfies Probe,
  ),
  ...repeatable.map(
    (status) =>
      ({
        name: `${status} to a POST`,
        ask: (fetch, { url }) => fetch(`${url}/status?status=${status}`, { method: 'POST', body: 'x' }),
      }) satisfies Probe,
  ),
  ...[200, 404, 204, 304].map(
    (status) =>
      ({
        name: `${status} to a HEAD`,
        ask: (fetch, { url }) => fetch(`${url}/status?status=${status}`, { method: 'HEAD' }),
      }) satisfies Probe,
  ),
  { name: 'a reason of its own', ask: (fetch, { url }) => fetch(`${url}/status?status=200&reason=Fine%20by%20me`) },
  { name: 'headers of all sorts, and cookies', ask: (fetch, { url }) => fetch(`${url}/headers`) },
  { name: 'no such place', ask: (fetch, { url }) => fetch(`${url}/nowhere`) },
  ...['gzip', 'br', 'deflate', 'x-gzip'].map(
    (how) =>
      ({
        name: `content in ${how}`,
        ask: (fetch, { url }) => fetch(`${url}/encoded?how=${how}`),
      }) satisfies Probe,
  ),
  {
    name: 'raw deflate under the name of deflate',
    ask: (fetch, { url }) => fetch(`${url}/encoded?how=raw-deflate&name=deflate`),
  },
  { name: 'two encodings', ask: (fetch, { url }) => fetch(`${url}/encoded?how=gzip-br&name=gzip,%20br`) },
  { name: 'an encoding in capitals', ask: (fetch, { url }) => fetch(`${url}/encoded?how=gzip&name=GZIP`) },
  { name: 'an encoding that nobody knows', ask: (fetch, { url }) => fetch(`${url}/encoded?how=none&name=compress2`) },
  { name: 'identity', ask: (fetch, { url }) => fetch(`${url}/encoded?how=identity`) },
  { name: 'gzip without its last bytes', ask: (fetch, { url }) => fetch(`${url}/encoded?how=gzip&cut=8`) },
  { name: 'HEAD of something encoded', ask: (fetch, { url }) => fetch(`${url}/encoded?how=gzip`, { method: 'HEAD' }) },
  {
    name: 'what is no gzip',
    fails: 'protocol',
    ask: async (fetch, { url }) => (await fetch(`${url}/not-gzip`)).text(),
  },
  { name: 'chunks', ask: (fetch, { url }) => fetch(`${url}/chunked`) },
  { name: 'trailers', ask: (fetch, { url }) => fetch(`${url}/trailers`) },
  { name: 'an end with the connection', ask: (fetch, { url }) => fetch(`${url}/until-close`) },
  { name: 'connection: close', ask: (fetch, { url }) => fetch(`${url}/close`) },
  { name: 'HTTP/1.0', ask: (fetch, { url }) => fetch(`${url}/http10`) },
  { name: 'nothing', ask: (fetch, { url }) => fetch(`${url}/empty`) },
  { name: 'processing', ask: (fetch, { url }) => fetch(`${url}/processing`) },
  { name: 'early hints', ask: (fetch, { url }) => fetch(`${url}/early-hints`) },
  {
    name: 'continue, unasked',
    fails: 'protocol',
    ask: (fetch, { url }) => fetch(`${url}/continue`, { method: 'POST', body: 'x' }),
  },
  { name: 'five megabytes', ask: (fetch, { url }) => fetch(`${url}/large?bytes=5000000`) },
  { name: 'slowly', ask: (fetch, { url }) => fetch(`${url}/slow`) },
  { name: 'a cut body', fails: 'closed', ask: async (fetch, { url }) => (await fetch(`${url}/cut`)).text() },
  {
    name: 'a hang-up on a POST',
    fails: 'closed',
    ask: (fetch, { url }) => fetch(`${url}/hang-up`, { method: 'POST', body: 'x' }),
  },
  ...['sha256', 'sha384', 'sha512'].map(
    (name) =>
      ({
        name: `integrity, ${name}`,
        ask: (fetch, { url }) => fetch(`${url}/encoded?how=none&name=identity`, { integrity: hash(name) }),
      }) satisfies Probe,
  ),
  {
    name: 'integrity that does not hold',
    fails: 'protocol',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { integrity: hash('sha256') }),
  },
  {
    name: 'integrity in words that nobody knows',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { integrity: 'md5-abc' }),
  },
]

export const readers: readonly Probe[] = [
  { name: 'json', ask: async (fetch, { url }) => (await fetch(`${url}/json`)).json() },
  { name: 'text with a byte order mark', ask: async (fetch, { url }) => (await fetch(`${url}/json`)).text() },
  {
    name: 'json of what is none',
    ask: async (fetch, { url }) => (await fetch(`${url}/status?status=200`)).json(),
  },
  {
    name: 'arrayBuffer',
    ask: async (fetch, { url }) => digest(new Uint8Array(await (await fetch(`${url}/headers`)).arrayBuffer())),
  },
  {
    name: 'blob',
    ask: async (fetch, { url }) => {
      const blob = await (await fetch(`${url}/headers`)).blob()
      return [blob instanceof Blob, blob.type, blob.size, await blob.text()]
    },
  },
  {
    name: 'bytes, where the platform has them',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/headers`)
      const bytes: unknown = Reflect.get(response, 'bytes')
      return typeof bytes === 'function' ? digest(await bytes.call(response)) : 'not here'
    },
  },
  { name: 'a form', ask: async (fetch, { url }) => [...(await (await fetch(`${url}/form`)).formData())] },
  {
    name: 'a form with a file',
    ask: async (fetch, { url }) => {
      const form = await (await fetch(`${url}/multipart`)).formData()
      const file = form.get('file') as File
      return [form instanceof FormData, file instanceof File, file.name, file.type, await file.text()]
    },
  },
  { name: 'a form of what is none', ask: async (fetch, { url }) => (await fetch(`${url}/json`)).formData() },
  {
    name: 'twice',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/echo`)
      await response.text()
      return response.text()
    },
  },
  {
    name: 'by iteration',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/large?bytes=300000`)
      const chunks: Uint8Array[] = []
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk)
      return [digest(Buffer.concat(chunks)), response.bodyUsed, response.body?.locked]
    },
  },
  {
    name: 'by iteration that is broken off',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/large?bytes=3000000`)
      for await (const _ of response.body as unknown as AsyncIterable<Uint8Array>) break
      return [response.bodyUsed, response.body?.locked]
    },
  },
  {
    name: 'clone',
    ask: async (fetch, place) => {
      const response = await fetch(`${place.url}/headers`)
      const copy = response.clone()
      return [await describe(copy, place), await describe(response, place)]
    },
  },
  {
    name: 'clone of what was read',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/echo`)
      await response.text()
      return response.clone()
    },
  },
  {
    name: 'tee',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/large?bytes=200000`)
      const [left, right] = (response.body as ReadableStream<Uint8Array>).tee()
      const texts = await Promise.all([new Response(left).text(), new Response(right).text()])
      return [...texts.map((text) => digest(Buffer.from(text))), response.bodyUsed]
    },
  },
  {
    name: 'through a transform',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/chunked`)
      const text = response.body?.pipeThrough(new TextDecoderStream()) as unknown as AsyncIterable<string>
      let whole = ''
      for await (const piece of text) whole += piece
      return [whole, response.bodyUsed]
    },
  },
  {
    name: 'cancel, then read',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/large?bytes=3000000`)
      await response.body?.cancel('enough')
      return [response.bodyUsed, await response.text()]
    },
  },
  {
    name: 'cancel in the middle',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/stall-body`)
      const reader = response.body?.getReader()
      await reader?.read()
      await reader?.cancel('enough')
      return [response.bodyUsed, (await reader?.read())?.done]
    },
  },
  {
    name: 'not at all',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/chunked`)
      return [response.status, response.bodyUsed]
    },
  },
  {
    name: 'into another request',
    ask: async (fetch, { url }) => {
      const { body } = await fetch(`${url}/large?bytes=200000`)
      return fetch(`${url}/echo`, { method: 'POST', body, duplex: 'half' })
    },
  },
  {
    name: 'headers that cannot be changed',
    ask: async (fetch, { url }) => {
      const { headers } = await fetch(`${url}/echo`)
      try {
        headers.set('x-new', '1')
        return 'changed'
      } catch (error) {
        return (error as Error).message
      }
    },
  },
  {
    name: 'a copy by the constructor',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/json`)
      const copy = new Response(response.body, response)
      return [copy.status, copy.headers.get('content-type'), await copy.json()]
    },
  },
]
