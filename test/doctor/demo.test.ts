import type { Diagnosis } from 'offhook'
import { describe, expect, test } from 'vitest'
import { runDemo } from '../../src/doctor/demo.js'
import { type Behaviour, behaviours } from '../../src/doctor/demo-behaviours.js'
import type { DemoLine } from '../../src/doctor/demo-line.js'
import { demoLines } from '../../src/doctor/demo-lines.js'
import { whoOf } from '../../src/doctor/demo-words.js'
import { MemoryTerminal } from './memory-terminal.js'

function lineThat(says: RegExp, method: string): DemoLine {
  const found = demoLines.find(({ does, ask }) => says.test(does) && ask.method === method)
  if (found === undefined) throw new Error(`no line ${says}`)
  return found
}

const lostOrder = lineThat(/executes the request, then resets, once$/, 'POST')
const cutBody = lineThat(/body without a length/, 'GET')

describe('the lines of the demo', () => {
  test('are as many as fit a screen or two, and no two are the same', () => {
    expect(demoLines.length).toBeGreaterThanOrEqual(12)
    expect(demoLines.length).toBeLessThanOrEqual(16)
    const names = demoLines.map(({ does, ask }) => `${ask.method} ${ask.idempotencyKey} ${does}`)
    expect(new Set(names).size).toBe(demoLines.length)
  })

  test('expect no POST to be executed twice', () => {
    for (const { ask, expect: expected } of demoLines)
      if (ask.method === 'POST')
        expect(expected.executed?.offhook ?? 0).toBeLessThanOrEqual(ask.onResetConnections ?? 1)
  })
})

describe('what a client does besides', () => {
  test.each(behaviours.map((one) => [one.does, one] as const))('%s: as expected', async (_, { play }) => {
    const { says, expected } = await play()
    expect(expected).toEqual(Object.fromEntries(Object.keys(expected).map((what) => [what, true])))
    expect(Object.keys(expected).length).toBeGreaterThanOrEqual(2)
    expect(says.length).toBe(2)
  })

  test.each([
    ['peer-application', [0.5, 0.4], 'it was the server application (90 %)'],
    [undefined, [0.5, 0.1], 'it cannot be told who, likeliest the server application (60 %)'],
  ] as const)('whoOf: %s', (party, chances, words) => {
    const hypotheses = chances.map((probability) => ({ probability, party: 'peer-application' }))
    expect(whoOf({ ...(party && { party }), hypotheses } as unknown as Diagnosis)).toBe(words)
  })
})

describe('runDemo', () => {
  test('each row says what both sides say, what was done, and what the ledger knows', async () => {
    const terminal = new MemoryTerminal({ columns: 120 })
    expect(await runDemo(terminal, [lostOrder, cutBody])).toBe(0)
    const [lost, cut] = terminal.text.split(/─\n/).slice(1)
    for (const part of ['✓', 'POST', 'TypeError', 'ConnectionResetError', 'reset in ', 'unknown', 'maybe executed'])
      expect(lost).toContain(part)
    for (const part of ['1 attempt', 'not sent again, ', 'bare 1×', 'ours 1×']) expect(lost).toContain(part)
    for (const part of ['200, no error', '500 of 1000 bytes', 'reset in body, partial']) expect(cut).toContain(part)
    expect(terminal.text).toContain('2 of 2 lines came out as expected')
    for (const line of terminal.lines) expect(line.length).toBeLessThanOrEqual(120)
  })

  test('a line that does not come out as expected is marked, says why, and makes the exit code 1', async () => {
    const wrong: DemoLine = {
      ...lostOrder,
      expect: { ...lostOrder.expect, executed: { bare: 1, offhook: 2 } },
    }
    const terminal = new MemoryTerminal()
    expect(await runDemo(terminal, [wrong, lostOrder])).toBe(1)
    expect(terminal.text).toContain('✗')
    expect(terminal.text).toContain('not as expected: the ledger of offhook: executions: expected 2, came 1')
    expect(terminal.text).toContain('1 of 2 lines came out as expected')
  })

  test('says who hung up and how likely that is, and what channels and statistics tell, in agreement', async () => {
    const terminal = new MemoryTerminal({ columns: 120 })
    expect(await runDemo(terminal, [lostOrder, cutBody])).toBe(0)
    const text = terminal.text.replace(/\s+/g, ' ')
    expect(text).toMatch(/(rst|fin-then-rst); it (was|cannot be told who, likeliest) [a-z' ]+ \(\d+ %\)/)
    expect(text).toContain('channels: 2 calls, 2 attempts, 0 of them followed by another')
    expect(text).toMatch(/client\.stats\(\): 2 failures, by (rst 2|rst 1, fin-then-rst 1|fin-then-rst 2)/)
  })

  test('a behaviour that does not come out as expected is marked, and makes the exit code 1', async () => {
    const wrong: Behaviour = {
      does: 'nothing',
      option: 'none',
      play: async () => ({ says: ['nothing was done'], expected: { something: false, anything: true } }),
    }
    const terminal = new MemoryTerminal()
    expect(await runDemo(terminal, [], [wrong])).toBe(1)
    expect(terminal.text).toContain('not as expected: something')
    expect(terminal.text).not.toContain('not as expected: anything')
    expect(terminal.text).toContain('0 of 1 behaviours')
  })

  test('writes no control character where there is neither terminal nor colour', async () => {
    const terminal = new MemoryTerminal()
    await runDemo(terminal, [lostOrder])
    expect(terminal.text).not.toContain('\u001b')
    expect(terminal.text).not.toContain('\r')
  })

  test('on a terminal it tells what is under way, and takes that back', async () => {
    const terminal = new MemoryTerminal({ columns: 90, live: true, colour: true })
    await runDemo(terminal, [lostOrder])
    expect(terminal.text).toContain('1 of 1: POST; executes the request')
    const shown = terminal.text.split('\r\u001b[2K').at(-1)
    expect(shown).not.toContain('1 of 1: POST')
  })
})
