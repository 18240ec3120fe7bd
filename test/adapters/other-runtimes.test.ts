/** Where there is no undici behind the global fetch, as in Deno and Bun, or none worth the name behind `undici`, as in Bun. */

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const url = 'https://api.example.com/orders'

/** offhook as such a runtime loads it: the module looks around once, when it is loaded. */
async function loadedWith(fetch: typeof globalThis.fetch) {
  vi.stubGlobal('fetch', fetch)
  vi.stubGlobal('process', Object.create(process, { versions: { value: { ...process.versions, undici: undefined } } }))
  return import('offhook')
}

/** As Bun fails: the code is on the TypeError itself. As Deno does: it is in words alone. */
const failures = {
  Bun: () =>
    Object.assign(new TypeError('Unable to connect. Is the computer able to access the url?'), {
      code: 'ECONNREFUSED',
    }),
  Deno: () => new TypeError('fetch failed', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) }),
}

beforeEach(() => vi.resetModules())
afterEach(() => vi.doUnmock('undici'))

describe('a native fetch that does not obey our dispatcher', () => {
  test.each(Object.entries(failures))('%s: fails by name and is repeated', async (_name, failure) => {
    const fetch = vi.fn(async () => Promise.reject(failure()))
    const offhook = await loadedWith(fetch)
    await using client = offhook.createClient({ random: () => 0 })
    const error = await client.fetch(url).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(offhook.ConnectionRefusedError)
    expect(error).toMatchObject({ kind: 'refused', code: 'ECONNREFUSED' })
    expect(fetch).toHaveBeenCalledTimes(3)
  })

  test('its refusal of what is not valid is passed on as it is', async () => {
    const refusal = new TypeError('no such method')
    const fetch = vi.fn(async () => Promise.reject(refusal))
    const offhook = await loadedWith(fetch)
    await using client = offhook.createClient()
    await expect(client.fetch(url, { method: 'NO SUCH' })).rejects.toBe(refusal)
    expect(fetch).toHaveBeenCalledTimes(1)
  })
})

describe('an undici without dispatchers', () => {
  test('is refused by request in words that say what to do; importing it is fine', async () => {
    vi.doMock('undici', async (original) => {
      const undici = await original<typeof import('undici')>()
      return { ...undici, Dispatcher: class {} }
    })
    const offhook = await import('offhook')
    await using client = offhook.createClient()
    await expect(client.request(url)).rejects.toThrow(/Bun.*use fetch, or Node or Deno/)
    await expect(offhook.request(url)).rejects.toThrow(TypeError)
  })
})
