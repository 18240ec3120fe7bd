/** Probes of request bodies. */

import { Readable } from 'node:stream'
import type { Probe } from './drop-in-probe.js'

const bytes = new Uint8Array([104, 105, 0, 255, 128])

async function* iterable(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part)
}

function form(): FormData {
  const form = new FormData()
  form.append('name', 'Ånne "q"')
  form.append('name', 'second\nline')
  form.append('file', new File(['file content'], 'näme "x".txt', { type: 'text/markdown', lastModified: 0 }))
  form.append('blob', new Blob([bytes]), 'blob.bin')
  form.append('nameless', new Blob(['no name']))
  return form
}

/** A body of each kind, made afresh for each time it is sent. */
const kinds: Readonly<Record<string, () => unknown>> = {
  'a string': () => 'héllo ☎',
  'an empty string': () => '',
  'a String object': () => new String('boxed'),
  'a number': () => 42,
  'a plain object': () => ({ a: 1 }),
  'a long string': () => 'abc'.repeat(100_000),
  URLSearchParams: () =>
    new URLSearchParams([
      ['a', '1 2'],
      ['a', '&é'],
    ]),
  'an ArrayBuffer': () => bytes.slice().buffer,
  'a Uint8Array': () => bytes,
  'a part of a buffer': () => Buffer.from('abcdef').subarray(2, 4),
  'a Uint16Array': () => new Uint16Array([1, 2, 770]),
  'a DataView': () => new DataView(bytes.slice().buffer, 1, 2),
  'a Blob': () => new Blob(['blob ', bytes], { type: 'image/x-thing' }),
  'a Blob without a type': () => new Blob(['plain']),
  'an empty Blob': () => new Blob([]),
  'a File': () => new File(['file'], 'f.txt', { type: 'text/plain' }),
  FormData: form,
  'an empty FormData': () => new FormData(),
  'a form with a large file': () => {
    const large = new FormData()
    large.set('file', new File([Buffer.alloc(300_000, 'z')], 'z'))
    return large
  },
}

const streams: Readonly<Record<string, () => unknown>> = {
  'a ReadableStream': () => new Blob(['stream']).stream(),
  'a stream of many chunks': () =>
    new ReadableStream({
      start(controller) {
        for (let index = 0; index < 50; index++) controller.enqueue(Buffer.from(`chunk ${index};`))
        controller.close()
      },
    }),
  'a stream that is pulled': () => {
    let left = 3
    return new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setImmediate(resolve))
        if (left-- > 0) controller.enqueue(Buffer.from(`${left}`))
        else controller.close()
      },
    })
  },
  'a stream of bytes': () =>
    new ReadableStream({
      type: 'bytes',
      pull(controller) {
        controller.enqueue(new Uint8Array([1, 2, 3]))
        controller.close()
      },
    }),
  'an empty stream': () => new ReadableStream({ start: (controller) => controller.close() }),
  'a large stream': () => new Blob([Buffer.alloc(2_000_000, 'q')]).stream(),
  'an async generator': () => iterable('one ', 'two'),
  'an object with an async iterator': () => ({ [Symbol.asyncIterator]: () => iterable('of ', 'mine') }),
  'a Readable': () => Readable.from([Buffer.from('node '), Buffer.from('stream')]),
  'the body of a Response': () => new Response('taken over').body,
}

const post = { method: 'POST' }

export const bodies: readonly Probe[] = [
  ...Object.entries(kinds).map(
    ([name, make]) =>
      ({ name, ask: (fetch, { url }) => fetch(`${url}/echo`, { ...post, body: make() }) }) satisfies Probe,
  ),
  ...Object.entries(streams).map(
    ([name, make]) =>
      ({
        name,
        ask: (fetch, { url }) => fetch(`${url}/echo`, { ...post, body: make(), duplex: 'half' }),
      }) satisfies Probe,
  ),
  {
    name: 'a body with a content-type of its own',
    ask: (fetch, { url }) =>
      fetch(`${url}/echo`, { ...post, body: '{}', headers: { 'content-type': 'application/json' } }),
  },
  {
    name: 'a stream with a content-length',
    ask: (fetch, { url }) =>
      fetch(`${url}/echo`, {
        ...post,
        body: new Blob(['12345']).stream(),
        duplex: 'half',
        headers: { 'content-length': '5' },
      }),
  },
]

const boom = new Error('the source ran dry')

export const failingBodies: readonly Probe[] = [
  {
    name: 'a stream without duplex, which is left alone',
    ask: async (fetch, { url }) => {
      let cancelled = false
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(Buffer.from('still here')),
        cancel: () => {
          cancelled = true
        },
      })
      const error = await fetch(`${url}/echo`, { ...post, body }).catch((reason: unknown) => reason)
      return [error instanceof TypeError, (error as Error).message, body.locked, cancelled]
    },
  },
  {
    name: 'an async generator without duplex',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { ...post, body: iterable('x') }),
  },
  {
    name: 'a locked stream',
    ask: (fetch, { url }) => {
      const body = new Blob(['x']).stream()
      body.getReader()
      return fetch(`${url}/echo`, { ...post, body, duplex: 'half' })
    },
  },
  {
    name: 'a stream that was read',
    ask: async (fetch, { url }) => {
      const body = new Blob(['x']).stream()
      const reader = body.getReader()
      await reader.read()
      reader.releaseLock()
      return fetch(`${url}/echo`, { ...post, body, duplex: 'half' })
    },
  },
  {
    name: 'a Readable that was read',
    ask: async (fetch, { url }) => {
      const body = Readable.from([Buffer.from('x')])
      for await (const _ of body);
      return fetch(`${url}/echo`, { ...post, body, duplex: 'half' })
    },
  },
  {
    name: 'a Request that was used',
    ask: async (fetch, { url }) => {
      const request = new Request(`${url}/echo`, { ...post, body: 'x' })
      await request.text()
      return fetch(request)
    },
  },
  {
    name: 'a Request whose body is locked',
    ask: (fetch, { url }) => {
      const request = new Request(`${url}/echo`, { ...post, body: 'x' })
      request.body?.getReader()
      return fetch(request)
    },
  },
  { name: 'a GET with a body', ask: (fetch, { url }) => fetch(`${url}/echo`, { body: 'x' }) },
  { name: 'a HEAD with a body', ask: (fetch, { url }) => fetch(`${url}/echo`, { method: 'HEAD', body: 'x' }) },
  {
    name: 'a stream with keepalive',
    ask: (fetch, { url }) =>
      fetch(`${url}/echo`, { ...post, body: new Blob(['x']).stream(), duplex: 'half', keepalive: true }),
  },
  {
    name: 'duplex: full',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { ...post, body: new Blob(['x']).stream(), duplex: 'full' }),
  },
  {
    name: 'a stream that fails at once',
    fails: 'unknown',
    ask: (fetch, { url }) =>
      fetch(`${url}/echo`, {
        ...post,
        body: new ReadableStream({ start: (controller) => controller.error(boom) }),
        duplex: 'half',
      }),
  },
  {
    name: 'a generator that fails in the middle',
    fails: 'unknown',
    ask: (fetch, { url }) =>
      fetch(`${url}/echo`, {
        ...post,
        duplex: 'half',
        body: (async function* () {
          yield Buffer.from('first')
          throw boom
        })(),
      }),
  },
  {
    name: 'a stream of text',
    fails: 'unknown',
    ask: (fetch, { url }) =>
      fetch(`${url}/echo`, {
        ...post,
        duplex: 'half',
        body: new ReadableStream({
          start(controller) {
            controller.enqueue('text')
            controller.close()
          },
        }),
      }),
  },
]
