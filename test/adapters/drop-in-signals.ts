/** Probes of aborts: what a call rejects with, and what is left of what it was given. */

import { type AnyFetch, digest, type Place, type Probe } from './drop-in-probe.js'

/** Whether the rejection is the very reason, and what else can be told. A signal stands for the reason it will have. */
async function settle(call: Promise<unknown>, given: unknown): Promise<object> {
  const error = await call.then(
    () => new Error('it succeeded'),
    (rejection: unknown) => rejection,
  )
  const reason = given instanceof AbortSignal ? given.reason : given
  return {
    same: Object.is(error, reason),
    name: (error as Error | null)?.name,
    isDomException: error instanceof DOMException,
    isTypeError: error instanceof TypeError,
  }
}

async function abortWhileWaiting(fetch: AnyFetch, { url }: Place, reason?: unknown): Promise<object> {
  const controller = new AbortController()
  const call = fetch(`${url}/stall`, { signal: controller.signal })
  setTimeout(() => controller.abort(reason), 20)
  return settle(call, controller.signal)
}

const reasons: Readonly<Record<string, unknown>> = {
  'an Error': new Error('changed my mind'),
  'a TypeError': new TypeError('not this'),
  'a string': 'enough',
  'an object': { why: 'because' },
  'a number': 7,
  null: null,
  zero: 0,
  'an empty string': '',
  false: false,
}

/** At the end of these the server has seen all there is to see. */
const quiet: readonly Probe[] = [
  ...Object.entries(reasons).map(
    ([name, reason]) =>
      ({
        name: `aborted before, with ${name}`,
        ask: (fetch, { url }) => settle(fetch(`${url}/echo`, { signal: AbortSignal.abort(reason) }), reason),
      }) satisfies Probe,
  ),
  {
    name: 'aborted before, without a reason',
    ask: (fetch, { url }) => {
      const signal = AbortSignal.abort()
      return settle(fetch(`${url}/echo`, { signal }), signal)
    },
  },
  {
    name: 'aborted before, of a call that is wrong as well',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { method: 'CONNECT', signal: AbortSignal.abort(new Error('first')) }),
  },
  {
    name: 'aborted before, and the stream that was to be sent',
    ask: async (fetch, { url }) => {
      let reason: unknown = 'not cancelled'
      const body = new ReadableStream({
        cancel: (given) => {
          reason = (given as Error).message
        },
      })
      const init = { method: 'POST', body, duplex: 'half', signal: AbortSignal.abort(reasons['an Error']) }
      const end = await settle(fetch(`${url}/echo`, init), reasons['an Error'])
      return [end, reason]
    },
  },
  {
    name: 'aborted before the body is read',
    better: { same: true, isDomException: false, isTypeError: false },
    ask: async (fetch, { url }) => {
      const controller = new AbortController()
      const response = await fetch(`${url}/stall-body`, { signal: controller.signal })
      controller.abort(reasons['a string'])
      return settle(response.text(), 'enough')
    },
  },
  {
    name: 'aborted after everything',
    ask: async (fetch, { url }) => {
      const controller = new AbortController()
      const response = await fetch(`${url}/echo`, { signal: controller.signal })
      const text = await response.text()
      controller.abort()
      return [response.status, text]
    },
  },
  {
    name: 'the first of several',
    ask: (fetch, { url }) => {
      const first = AbortSignal.abort(reasons['an object'])
      const signal = AbortSignal.any([first, AbortSignal.timeout(1000)])
      return settle(fetch(`${url}/echo`, { signal }), reasons['an object'])
    },
  },
  {
    name: 'the signal of a Request that was aborted before',
    ask: (fetch, { url }) => settle(fetch(new Request(`${url}/stall`, { signal: AbortSignal.abort('no') })), 'no'),
  },
  {
    name: 'the signal of a Request, taken away by init',
    ask: (fetch, { url }) => fetch(new Request(`${url}/echo`, { signal: AbortSignal.abort('no') }), { signal: null }),
  },
  {
    name: 'the signal of a Request, kept by an init that is undefined there',
    ask: (fetch, { url }) =>
      settle(fetch(new Request(`${url}/echo`, { signal: AbortSignal.abort('no') }), { signal: undefined }), 'no'),
  },
  {
    name: 'the signal of a Request, replaced by init',
    ask: (fetch, { url }) => {
      const signal = AbortSignal.abort(reasons['an Error'])
      return settle(fetch(new Request(`${url}/echo`), { signal }), reasons['an Error'])
    },
  },
  { name: 'null', ask: (fetch, { url }) => fetch(`${url}/echo`, { signal: null }) },
  {
    name: 'a controller in place of its signal',
    ask: (fetch, { url }) => fetch(`${url}/echo`, { signal: new AbortController() }),
  },
  {
    name: 'something that looks like a signal',
    ask: (fetch, { url }) =>
      fetch(`${url}/echo`, { signal: { aborted: false, addEventListener() {}, removeEventListener() {} } }),
  },
  { name: 'a string', ask: (fetch, { url }) => fetch(`${url}/echo`, { signal: 'stop' }) },
  {
    name: 'one signal for many calls',
    ask: async (fetch, { url }) => {
      const { signal } = new AbortController()
      const texts = await Promise.all(
        Array.from({ length: 30 }, async () => (await fetch(`${url}/encoded?how=br`, { signal })).text()),
      )
      return new Set(texts).size
    },
  },
]

/** These break off while something is under way. */
const racing: readonly Probe[] = [
  ...Object.entries(reasons).map(
    ([name, reason]) =>
      ({
        name: `aborted while waiting for the head, with ${name}`,
        ask: (fetch, place) => abortWhileWaiting(fetch, place, reason),
      }) satisfies Probe,
  ),
  {
    name: 'aborted while waiting, without a reason',
    ask: async (fetch, { url }) => {
      const controller = new AbortController()
      setTimeout(() => controller.abort(), 20)
      return settle(fetch(`${url}/stall`, { signal: controller.signal }), controller.signal)
    },
  },
  {
    name: 'aborted in the same turn',
    ask: (fetch, { url }) => {
      const controller = new AbortController()
      const call = fetch(`${url}/echo`, { signal: controller.signal })
      controller.abort(reasons['an Error'])
      return settle(call, reasons['an Error'])
    },
  },
  {
    name: 'aborted while the stream is being sent',
    ask: async (fetch, { url }) => {
      const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('begun')) })
      const controller = new AbortController()
      const call = fetch(`${url}/echo`, { method: 'POST', body, duplex: 'half', signal: controller.signal })
      setTimeout(() => controller.abort(reasons['an Error']), 20)
      return settle(call, reasons['an Error'])
    },
  },
  {
    name: 'aborted in the middle of the body',
    ask: async (fetch, { url }) => {
      const controller = new AbortController()
      const response = await fetch(`${url}/stall-body`, { signal: controller.signal })
      const text = response.text()
      setTimeout(() => controller.abort(reasons['an object']), 20)
      return [response.status, await settle(text, reasons['an object']), response.bodyUsed]
    },
  },
  {
    name: 'aborted between two reads',
    ask: async (fetch, { url }) => {
      const controller = new AbortController()
      const response = await fetch(`${url}/stall-body`, { signal: controller.signal })
      const reader = response.body?.getReader()
      const first = await reader?.read()
      controller.abort(reasons['an Error'])
      return [
        Buffer.from(first?.value ?? []).toString(),
        await settle(reader?.read() as Promise<unknown>, reasons['an Error']),
      ]
    },
  },
  {
    name: 'aborted after a redirect',
    ask: async (fetch, { url }) => {
      const controller = new AbortController()
      const call = fetch(`${url}/redirect?to=/stall`, { signal: controller.signal })
      setTimeout(() => controller.abort(reasons['a number']), 30)
      return settle(call, 7)
    },
  },
  { name: 'a timeout', ask: (fetch, { url }) => fetch(`${url}/stall`, { signal: AbortSignal.timeout(20) }) },
  {
    name: 'a timeout in the middle of the body',
    ask: async (fetch, { url }) => (await fetch(`${url}/stall-body`, { signal: AbortSignal.timeout(60) })).text(),
  },
  {
    name: 'the signal of a Request',
    ask: (fetch, { url }) => {
      const controller = new AbortController()
      const call = fetch(new Request(`${url}/stall`, { signal: controller.signal }))
      setTimeout(() => controller.abort(reasons['an Error']), 20)
      return settle(call, reasons['an Error'])
    },
  },
  {
    name: 'a clone, the original aborted',
    better: [1, 2].map(() => ({ same: true, name: 'Error', isDomException: false, isTypeError: false })),
    ask: async (fetch, { url }) => {
      const controller = new AbortController()
      const response = await fetch(`${url}/stall-body`, { signal: controller.signal })
      const copy = response.clone()
      controller.abort(reasons['an Error'])
      return [await settle(copy.text(), reasons['an Error']), await settle(response.text(), reasons['an Error'])]
    },
  },
  {
    name: 'a large body aborted half-way',
    ask: async (fetch, { url }) => {
      const controller = new AbortController()
      const response = await fetch(`${url}/large?bytes=5000000`, { signal: controller.signal })
      const reader = response.body?.getReader()
      const first = await reader?.read()
      controller.abort(reasons['an Error'])
      const drained = (async () => {
        while (!(await reader?.read())?.done);
      })()
      return [digest(first?.value?.subarray(0, 10) ?? new Uint8Array()), await settle(drained, reasons['an Error'])]
    },
  },
]

export const signals: readonly Probe[] = [...quiet, ...racing.map((probe): Probe => ({ ...probe, races: true }))]
