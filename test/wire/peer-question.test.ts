/** Whether the peer's kernel lives, asked before a limit runs out: of a real server that has stopped answering. */

import { Socket } from 'node:net'
import { createClient, isOffhookError } from 'offhook'
import { rudeServer } from 'offhook/testing'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { askedBeforeMs } from '../../src/wire/peer-question.js'

describe('when it is asked', () => {
  test.each([
    [300, undefined],
    [1_000, undefined],
    [1_500, 375],
    [4_000, 1_000],
    [30_000, 1_500],
  ])('a limit of %i ms: so long before its end: %s', (limitMs, ahead) => {
    expect(askedBeforeMs(limitMs)).toBe(ahead)
  })

  test('never before the kernel would send a probe at once, and never so early that it could give up', () => {
    for (let limitMs = 1; limitMs < 100_000; limitMs = Math.ceil(1.1 * limitMs)) {
      const ahead = askedBeforeMs(limitMs)
      if (ahead === undefined) continue
      expect(limitMs - ahead).toBeGreaterThan(1_000)
      expect(ahead).toBeLessThanOrEqual(1_500)
    }
  })
})

test.runIf(process.platform === 'linux')(
  'a probe is asked for once in a silence, and the setting put back',
  async () => {
    await using server = await rudeServer({
      script: [{ read: 'request' }, { write: 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf' }, 'stall'],
    })
    const asked = vi.spyOn(Socket.prototype, 'setKeepAlive')
    onTestFinished(() => asked.mockRestore())
    // The kernel's own clock decides when it asks: this one waits for it.
    const client = createClient({ timeout: { body: 1_600 }, retry: false })
    const { body } = await client.request(server.url)
    const error: unknown = await body.text().catch((reason: unknown) => reason)
    await client.destroy()
    expect(isOffhookError(error) && error.diagnosis?.mechanism).toBe('silence')
    expect(asked.mock.calls).toEqual([
      [true, 60_000],
      [true, 1_000],
      [true, 60_000],
    ])
  },
)
