/** Probes of what a Response and its body show while they are looked at, held, read and cloned. */

import { inspect } from 'node:util'
import { digest, type Probe } from './drop-in-probe.js'

/** What an expression comes to, or the class and text of what it throws. */
async function attempt(what: () => unknown): Promise<unknown> {
  try {
    return await what()
  } catch (error) {
    return [(error as Error).constructor.name, (error as Error).message]
  }
}

export const views: readonly Probe[] = [
  {
    name: 'a body that is looked at, then cloned',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/chunked`)
      const before = response.body
      const copy = response.clone()
      const locked = before?.locked
      return [locked, before === response.body, await copy.text(), await new Response(response.body).text()]
    },
  },
  {
    name: 'a body that is looked at twice',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/chunked`)
      const before = response.body
      return [
        before === response.body,
        response.body instanceof ReadableStream,
        response.body?.locked,
        response.bodyUsed,
        await response.text(),
      ]
    },
  },
  {
    name: 'text while a reader holds the body',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/chunked`)
      const reader = response.body?.getReader()
      const held = await attempt(() => response.text())
      const cloned = await attempt(() => response.clone().status)
      reader?.releaseLock()
      return [held, cloned, response.bodyUsed, await attempt(() => response.text())]
    },
  },
  {
    name: 'a reader while text reads the body',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/chunked`)
      const text = response.text()
      const shown = [response.bodyUsed, response.body?.locked, await attempt(() => response.body?.getReader())]
      return [...shown, await text, response.bodyUsed, response.body?.locked]
    },
  },
  {
    name: 'one read, then the lock is given back',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/large?bytes=300000`)
      const reader = response.body?.getReader()
      await reader?.read()
      reader?.releaseLock()
      return [
        response.bodyUsed,
        response.body?.locked,
        await attempt(() => response.text()),
        await attempt(() => response.clone()),
      ]
    },
  },
  {
    name: 'into a buffer of the reader',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/large?bytes=5000`)
      return attempt(async () => {
        const reader = response.body?.getReader({ mode: 'byob' })
        const first = await reader?.read(new Uint8Array(10))
        return [Buffer.from(first?.value ?? []).toString(), first?.done]
      })
    },
  },
  {
    name: 'the end, seen by a reader',
    ask: async (fetch, { url }) => {
      const reader = (await fetch(`${url}/empty`)).body?.getReader()
      const end = await reader?.read()
      await reader?.closed
      return [end, await reader?.read()]
    },
  },
  {
    name: 'into a WritableStream',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/large?bytes=200000`)
      const chunks: Uint8Array[] = []
      await response.body?.pipeTo(new WritableStream({ write: (chunk) => void chunks.push(chunk) }))
      return [digest(Buffer.concat(chunks)), response.bodyUsed, response.body?.locked]
    },
  },
  {
    name: 'a cut body, by a reader',
    fails: 'closed',
    ask: async (fetch, { url }) => {
      const reader = (await fetch(`${url}/cut`)).body?.getReader()
      while (!(await reader?.read())?.done);
    },
  },
  {
    name: 'a cut body, by its clone',
    fails: 'closed',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/cut`)
      const copy = response.clone()
      await Promise.allSettled([response.text()])
      await copy.text()
    },
  },
  {
    name: 'a cut body, through another Response',
    fails: 'closed',
    ask: async (fetch, { url }) => new Response((await fetch(`${url}/cut`)).body).json(),
  },
  {
    name: 'what a debugger sees',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/echo`)
      const keys = Object.keys(response)
      const text = inspect(response)
        .replace(/'date'|date: '[^']*'/g, 'date')
        // An empty body has ended when its end has come, and it may come with the head.
        .replace(/state: '(?:readable|closed)'/, 'state')
      return [keys, text, String(response), Object.prototype.toString.call(response), await response.text()]
    },
  },
  {
    name: 'its class',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/empty`)
      return [response.constructor === Response, response.clone() instanceof Response, await response.text()]
    },
  },
  {
    name: 'its class, when it has a body',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/headers`)
      const copy = response.clone().clone()
      return [response.constructor === Response, Object.getOwnPropertyNames(response), copy.url, await copy.text()]
    },
  },
  {
    name: 'a read that is asked for in the same breath',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/chunked`)
      const reader = response.body?.getReader()
      const read = reader?.read()
      const used = response.bodyUsed
      const text = await attempt(() => response.text())
      return [used, text, (await read)?.done, await attempt(() => response.clone())]
    },
  },
  {
    name: 'the body after text',
    ask: async (fetch, { url }) => {
      const response = await fetch(`${url}/chunked`)
      const before = response.body
      const text = response.text()
      const during = [before?.locked, before === response.body, await attempt(() => before?.getReader())]
      await text
      return [during, before?.locked, before === response.body, response.bodyUsed]
    },
  },
  {
    name: 'a clone of a clone, each read in its own way',
    ask: async (fetch, { url }) => {
      const first = await fetch(`${url}/chunked`)
      void first.body
      const second = first.clone()
      void second.body
      const third = second.clone()
      const read = async (response: Response) => {
        let whole = ''
        for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) whole += Buffer.from(chunk)
        return whole
      }
      return [await read(first), await second.text(), await read(third), first.bodyUsed, third.body?.locked]
    },
  },
]
