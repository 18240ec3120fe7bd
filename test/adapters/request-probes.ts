/** Probes of `client.request`, made by undici's own `request` as well. */

import { once } from 'node:events'
import { Readable } from 'node:stream'
import { FormData as UndiciForm } from 'undici'
import { digest, type Place } from './drop-in-probe.js'
import { page } from './drop-in-server.js'

/** What comes back from either: undici's response data. */
export interface Answer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly trailers: Readonly<Record<string, string>>
  readonly opaque: unknown
  readonly context: object
  readonly body: Readable & {
    readonly bodyUsed: boolean
    arrayBuffer(): Promise<ArrayBuffer>
    blob(): Promise<Blob>
    bytes(): Promise<Uint8Array>
    json(): Promise<unknown>
    text(): Promise<string>
    dump(options?: { limit?: number }): Promise<void>
  }
}

export type AnyRequest = (url?: unknown, options?: unknown) => Promise<Answer>

export interface RequestProbe {
  readonly name: string
  ask(request: AnyRequest, place: Place): Promise<unknown>
}

async function* iterable(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part)
}

function* iterator(...parts: string[]): Generator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part)
}

function form(): UndiciForm {
  const form = new UndiciForm()
  form.append('name', 'Ånne "q"')
  form.append('file', new File(['file content'], 'näme.txt', { type: 'text/markdown' }) as never)
  return form
}

const bytes = new Uint8Array([104, 105, 0, 255, 128])

const kinds: Readonly<Record<string, () => unknown>> = {
  'a string': () => 'héllo ☎',
  'an empty string': () => '',
  'a long string': () => 'abc'.repeat(100_000),
  'a Buffer': () => Buffer.from('buffer'),
  'an empty Buffer': () => Buffer.alloc(0),
  'a part of a Buffer': () => Buffer.from('abcdef').subarray(2, 4),
  'a Uint8Array': () => bytes,
  'a Uint16Array': () => new Uint16Array([1, 2, 770]),
  'a DataView': () => new DataView(bytes.slice().buffer, 1, 2),
  'an ArrayBuffer': () => bytes.slice().buffer,
  'a Blob': () => new Blob(['blob'], { type: 'image/x-thing' }),
  'a File': () => new File(['file'], 'f.txt', { type: 'text/plain' }),
  "undici's FormData": form,
  'an array of chunks': () => [Buffer.from('one '), Buffer.from('two')],
  'an iterator': () => iterator('one ', 'two'),
  'an async generator': () => iterable('one ', 'two'),
  'an object with an async iterator': () => ({ [Symbol.asyncIterator]: () => iterable('of ', 'mine') }),
  'a Readable': () => Readable.from([Buffer.from('node '), Buffer.from('stream')]),
  'a Readable of text': () => Readable.from(['text ', 'pieces']),
  'an empty Readable': () => Readable.from([]),
  'a large Readable': () => Readable.from(Array.from({ length: 40 }, () => Buffer.alloc(50_000, 'r'))),
  'a ReadableStream': () => new Blob(['stream']).stream(),
  null: () => null,
  undefined: () => undefined,
}

export const requestBodies: readonly RequestProbe[] = [
  ...Object.entries(kinds).map(
    ([name, make]) =>
      ({
        name,
        ask: (request, { url }) => request(`${url}/echo`, { method: 'POST', body: make() }),
      }) satisfies RequestProbe,
  ),
  ...Object.entries(kinds).map(
    ([name, make]) =>
      ({
        name: `${name}, and no method`,
        ask: (request, { url }) => request(`${url}/echo`, { body: make() }),
      }) satisfies RequestProbe,
  ),
  {
    name: 'a Readable with its length in the headers',
    ask: (request, { url }) =>
      request(`${url}/echo`, {
        method: 'PUT',
        body: Readable.from([Buffer.from('12345')]),
        headers: { 'content-length': '5' },
      }),
  },
  {
    name: 'what is left of a Readable that was half read',
    ask: async (request, { url }) => {
      const body = Readable.from([Buffer.from('first'), Buffer.from('second')])
      await once(body, 'readable')
      body.read()
      return request(`${url}/echo`, { method: 'POST', body })
    },
  },
]

const get =
  (path: string, options?: object) =>
  (request: AnyRequest, { url }: Place) =>
    request(`${url}${path}`, options)

export const requestInputs: readonly RequestProbe[] = [
  { name: 'a string', ask: get('/echo') },
  { name: 'a URL', ask: (request, { url }) => request(new URL('/echo?a=1&b=%20', url)) },
  { name: 'a fragment', ask: get('/echo?a#part') },
  {
    name: 'a password, which undici drops',
    ask: (request, { url }) => request(`${url.replace('//', '//me:secret@')}/echo`),
  },
  { name: 'no options', ask: get('/echo', undefined) },
  { name: 'options null', ask: (request, { url }) => request(`${url}/echo`, null) },
  { name: 'an own path', ask: get('', { path: '/status?status=201' }) },
  { name: 'an own path without a slash', ask: get('/', { path: 'echo?x' }) },
  { name: 'a query', ask: get('/echo', { query: { a: '1', b: ['2', '3'], c: 'é &', d: 4, e: true } }) },
  { name: 'an empty query', ask: get('/echo', { query: {} }) },
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'].map(
    (method) => ({ name: `method ${method}`, ask: get('/echo', { method }) }) satisfies RequestProbe,
  ),
  {
    name: 'headers as a record',
    ask: get('/echo', { headers: { 'X-One': '1', 'x-two': ['a', 'b'], 'x-none': undefined } }),
  },
  { name: 'headers as a flat list', ask: get('/echo', { headers: ['X-One', '1', 'x-two', '2', 'x-two', '3'] }) },
  { name: 'headers as pairs', ask: get('/echo', { headers: new Map([['x-map', 'yes']]) }) },
  { name: 'Headers', ask: get('/echo', { headers: new Headers({ 'x-h': '1' }) }) },
  {
    name: 'an iterator of headers with a POST',
    ask: (request, { url }) =>
      request(`${url}/echo`, { method: 'POST', headers: new Map([['x-once', 'yes']]).entries() }),
  },
  { name: 'an own host', ask: get('/echo', { headers: { host: 'example.com' } }) },
  { name: 'a reset connection', ask: get('/echo', { reset: true }) },
  { name: 'limits of undici', ask: get('/echo', { headersTimeout: 5_000, bodyTimeout: 5_000 }) },
  { name: 'limits of 0, which are none', ask: get('/echo', { headersTimeout: 0, bodyTimeout: 0 }) },
  { name: 'something opaque', ask: get('/echo', { opaque: { mine: 1 } }) },
  { name: 'raw response headers', ask: get('/headers', { responseHeaders: 'raw' }) },
  { name: 'a high water mark', ask: get('/large?bytes=100000', { highWaterMark: 10 }) },
  {
    name: 'early hints, heard by onInfo',
    ask: async (request, { url }) => {
      const heard: unknown[] = []
      const { statusCode, body } = await request(`${url}/early-hints`, { onInfo: (info: unknown) => heard.push(info) })
      return [statusCode, await body.text(), heard]
    },
  },
]

export const requestAnswers: readonly RequestProbe[] = [
  ...[200, 201, 204, 205, 206, 301, 302, 304, 307, 400, 401, 404, 407, 418].map(
    (status) => ({ name: `${status}`, ask: get(`/status?status=${status}`) }) satisfies RequestProbe,
  ),
  ...[408, 500, 502, 503, 504].map(
    (status) =>
      ({
        name: `${status} to a POST`,
        ask: get(`/status?status=${status}`, { method: 'POST' }),
      }) satisfies RequestProbe,
  ),
  { name: 'a redirect, which is not followed', ask: get('/redirect?to=/echo') },
  { name: 'headers of all sorts', ask: get('/headers') },
  { name: 'something encoded, as it came', ask: get('/encoded?how=gzip') },
  { name: 'chunks', ask: get('/chunked') },
  { name: 'an end with the connection', ask: get('/until-close') },
  { name: 'nothing', ask: get('/empty') },
  { name: 'HEAD of something', ask: get('/encoded?how=gzip', { method: 'HEAD' }) },
  { name: 'processing', ask: get('/processing') },
  { name: 'five megabytes', ask: get('/large?bytes=5000000') },
  {
    name: 'trailers',
    ask: async (request, { url }) => {
      const { body, trailers } = await request(`${url}/trailers`)
      return [await body.text(), trailers]
    },
  },
  { name: 'json', ask: async (request, { url }) => (await request(`${url}/apples`)).body.json() },
  { name: 'json of what is none', ask: async (request, { url }) => (await request(`${url}/chunked`)).body.json() },
  {
    name: 'a blob',
    ask: async (request, { url }) => {
      const blob = await (await request(`${url}/headers`)).body.blob()
      return [blob instanceof Blob, blob.size, (await blob.text()) === page]
    },
  },
  { name: 'bytes', ask: async (request, { url }) => digest(await (await request(`${url}/headers`)).body.bytes()) },
  {
    name: 'a form, which undici does not read',
    ask: async (request, { url }) => (Reflect.get((await request(`${url}/form`)).body, 'formData') as () => unknown)(),
  },
  {
    name: 'text twice',
    ask: async (request, { url }) => {
      const { body } = await request(`${url}/echo`)
      await body.text()
      return body.text()
    },
  },
  {
    name: 'bodyUsed',
    ask: async (request, { url }) => {
      const { body } = await request(`${url}/chunked`)
      const before = body.bodyUsed
      const text = await body.text()
      return [before, text, body.bodyUsed]
    },
  },
  {
    name: 'iteration',
    ask: async (request, { url }) => {
      const chunks: Buffer[] = []
      for await (const chunk of (await request(`${url}/large?bytes=300000`)).body) chunks.push(chunk as Buffer)
      return digest(Buffer.concat(chunks))
    },
  },
  {
    name: 'dump, and the connection after it',
    ask: async (request, { url }) => {
      const { body } = await request(`${url}/large?bytes=1000`)
      await body.dump()
      return (await request(`${url}/echo`)).body.text()
    },
  },
  {
    name: 'dump of too much',
    ask: async (request, { url }) => {
      const { body } = await request(`${url}/large?bytes=3000000`)
      await body.dump({ limit: 100 })
      return body.destroyed
    },
  },
]
