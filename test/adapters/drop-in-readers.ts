/** Probes of the ways to read a Response. */

import { describe, digest, type Probe } from './drop-in-probe.js'

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
