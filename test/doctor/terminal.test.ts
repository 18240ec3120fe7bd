import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { hasColour, LiveLine, paint } from '../../src/doctor/terminal.js'
import { MemoryTerminal } from './memory-terminal.js'

describe('colour', () => {
  test.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [false, { FORCE_COLOR: '1' }, true],
    [false, { FORCE_COLOR: '' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [true, { FORCE_COLOR: 'false' }, false],
    [false, { FORCE_COLOR: '3', NO_COLOR: '1' }, true],
  ])('terminal %s with %j: %s', (live, env, expected) => {
    expect(hasColour(live, env)).toBe(expected)
  })

  test('is put on only where there is colour, and taken off behind the text', () => {
    expect(paint(new MemoryTerminal(), 'text', 'bad')).toBe('text')
    expect(paint(new MemoryTerminal({ colour: true }), 'text', 'bad')).toBe('\u001b[31mtext\u001b[39m')
    expect(paint(new MemoryTerminal({ colour: true }), 'text', undefined)).toBe('text')
  })
})

describe('LiveLine', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('draws while it is shown, and leaves an empty line', () => {
    const terminal = new MemoryTerminal({ columns: 40, live: true })
    const live = new LiveLine(terminal)
    live.show('3 of 16')
    vi.advanceTimersByTime(250)
    live.clear()
    const drawn = terminal.text
    expect(drawn.match(/3 of 16/g)).toHaveLength(3)
    expect(drawn.endsWith('\r\u001b[2K')).toBe(true)
    vi.advanceTimersByTime(1000)
    expect(terminal.text).toBe(drawn)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('never wraps, for a wrapped line cannot be taken back', () => {
    const terminal = new MemoryTerminal({ columns: 20, live: true })
    const live = new LiveLine(terminal)
    live.show('x'.repeat(100))
    live.clear()
    expect(terminal.text.match(/x+/)?.[0].length).toBe(17)
  })

  test('shows nothing in a file', () => {
    const terminal = new MemoryTerminal({ live: false })
    const live = new LiveLine(terminal)
    live.show('3 of 16')
    vi.advanceTimersByTime(250)
    live.clear()
    expect(terminal.text).toBe('')
    expect(vi.getTimerCount()).toBe(0)
  })
})
