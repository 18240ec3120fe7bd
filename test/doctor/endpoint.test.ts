import { refusedPort, rudeServer } from 'offhook/testing'
import { describe, expect, test } from 'vitest'
import { endpointLines, runEndpoint } from '../../src/doctor/endpoint.js'
import { MemoryTerminal } from './memory-terminal.js'

describe('runEndpoint', () => {
  test('makes a handful of GET requests, and tells what was seen', async () => {
    await using server = await rudeServer({
      script: [
        { respond: { body: { bytes: 5000 }, headers: { connection: 'keep-alive', 'keep-alive': 'timeout=7, max=9' } } },
      ],
    })
    const terminal = new MemoryTerminal({ columns: 120 })
    expect(await runEndpoint(terminal, new URL(`${server.url}/orders?token=hush`))).toBe(0)
    for (const part of [
      '200, 5000 bytes',
      'AbortError',
      `→ 127.0.0.1:${server.port}, http/1.1`,
      'keep-alive: timeout=7',
    ])
      expect(terminal.text).toContain(part)
    expect(terminal.text).toContain(`${endpointLines.length} of ${endpointLines.length} lines came out as expected`)
    expect(terminal.text).not.toContain('hush')
    const entries = server.ledger.entries()
    expect(entries.length).toBeGreaterThanOrEqual(4)
    expect(entries.length).toBeLessThanOrEqual(2 * endpointLines.length)
    expect(new Set(entries.map(({ method }) => method))).toEqual(new Set(['GET']))
  })

  test('tells the whole story where the plainest request fails, and asks no more', async () => {
    await using nobody = await refusedPort()
    const terminal = new MemoryTerminal({ columns: 120 })
    expect(await runEndpoint(terminal, new URL(nobody.url))).toBe(1)
    for (const part of ['✗', 'ECONNREFUSED', 'ConnectionRefusedError', 'attempt 3', '0 of 1 lines'])
      expect(terminal.text).toContain(part)
  })

  test('a wrong expectation makes the exit code 1', async () => {
    await using server = await rudeServer()
    const lines = [
      { asks: 'GET', expect: ['answer'] },
      { asks: 'GET, aborted at once', limit: 'at once', expect: ['answer'] },
    ] as const
    const terminal = new MemoryTerminal()
    expect(await runEndpoint(terminal, new URL(server.url), lines)).toBe(1)
    expect(terminal.text).toContain('1 of 2 lines came out as expected')
  })

  test('does not read an endless body to its end, and says where a redirect led', async () => {
    await using server = await rudeServer()
    server.route('/old', [{ respond: { status: 302, headers: { location: '/long' } } }])
    server.route('/long', [{ respond: { body: { bytes: 3 * 1024 * 1024 } } }])
    const terminal = new MemoryTerminal({ columns: 120 })
    const lines = [{ asks: 'GET', expect: ['answer'] }]
    expect(await runEndpoint(terminal, new URL(`${server.url}/old`), lines)).toBe(0)
    expect(terminal.text).toMatch(/200, \d+ bytes at least/)
    expect(terminal.text).toContain(`to ${server.url}/long`)
  })
})
