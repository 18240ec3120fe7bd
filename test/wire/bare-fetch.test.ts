/** What importing offhook does to those who go on using the bare global fetch: nothing. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import * as undici from 'undici'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

const slots = [Symbol.for('undici.globalDispatcher.1'), Symbol.for('undici.globalDispatcher.2')]
const were = slots.map((slot) => Reflect.get(globalThis, slot))
/** The fetch of Node 20 and 22, over the Agent of undici 7 and 8. */
const quarrels = process.versions['undici']?.startsWith('6.') === true

const server = createServer(async (request, response) => response.end(await text(request)))
let url = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})
afterAll(() => {
  slots.forEach((slot, at) => {
    Reflect.set(globalThis, slot, were[at])
  })
  server.closeAllConnections()
  server.close()
})

/** As undici leaves it when it is imported before anybody has used fetch. */
beforeEach(() => {
  vi.resetModules()
  undici.setGlobalDispatcher(new undici.Agent())
})

const withOwnLength = async () => {
  const response = await fetch(url, { method: 'POST', body: 'hello', headers: { 'Content-Length': '5' } })
  return response.text()
}

describe('bare fetch, with a content-length of its own', () => {
  test.runIf(quarrels)('fails once undici was imported', async () => {
    await expect(withOwnLength()).rejects.toMatchObject({ cause: { message: 'invalid content-length header' } })
  })

  test('works once offhook was imported', async () => {
    await import('offhook')
    expect(await withOwnLength()).toBe('hello')
  })

  test('works twice over: two copies of offhook do not mind each other', async () => {
    await import('offhook')
    vi.resetModules()
    await import('offhook')
    expect(await withOwnLength()).toBe('hello')
  })
})

test('the dispatcher that undici put there stays the one it was', async () => {
  const before = undici.getGlobalDispatcher()
  await import('offhook')
  expect(undici.getGlobalDispatcher()).toBe(before)
  expect(before).toBeInstanceOf(undici.Agent)
})

test('a dispatcher of the application is left alone', async () => {
  const mock = new undici.MockAgent()
  const { dispatch } = mock
  undici.setGlobalDispatcher(mock)
  await import('offhook')
  expect(mock.dispatch).toBe(dispatch)
  await mock.close()
})
