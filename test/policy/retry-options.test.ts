import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { checkBoolean, checkHeaderName, checkKnown, checkNumber, openSection } from '../../src/policy/option-check.js'
import { checkRetryOptions, defaultRetryPolicy, optInNames, type RetryOptions } from '../../src/policy/retry-options.js'

describe('checkRetryOptions', () => {
  it('gives the defaults when nothing is said', () => {
    expect(checkRetryOptions(undefined)).toBe(defaultRetryPolicy)
    expect(checkRetryOptions({})).toEqual(defaultRetryPolicy)
    expect(checkRetryOptions({ attempts: undefined, backoff: undefined, statuses: undefined })).toEqual(
      defaultRetryPolicy,
    )
    expect(defaultRetryPolicy).toEqual({
      attempts: 3,
      backoff: { baseMs: 50, throttledBaseMs: 1000, capMs: 20_000 },
      statuses: [408, 425, 429, 500, 502, 503, 504],
      maxRetryAfterMs: 60_000,
      bufferBytes: 0,
      signalHeaders: {},
      optIns: new Set(),
    })
  })

  it('switches everything off with false', () => {
    expect(checkRetryOptions(false)).toEqual({ ...defaultRetryPolicy, disabled: true })
  })

  it('takes every option', () => {
    const options: RetryOptions = {
      attempts: 5,
      backoff: { base: 10, throttledBase: 200, cap: 3000 },
      statuses: [503, 520, 503],
      maxRetryAfter: Number.POSITIVE_INFINITY,
      body: 'buffer',
      bufferLimit: 5000,
      pushbackHeader: 'X-Push-Back-Ms',
      nackHeader: 'X-Nack',
      stopHeader: 'X-Stop',
      unsafeOnStaleConnection: true,
      unsafeOn429: false,
    }
    expect(checkRetryOptions(options)).toEqual({
      attempts: 5,
      backoff: { baseMs: 10, throttledBaseMs: 200, capMs: 3000 },
      statuses: [503, 520],
      maxRetryAfterMs: Number.POSITIVE_INFINITY,
      bufferBytes: 5000,
      signalHeaders: { pushback: 'x-push-back-ms', nack: 'x-nack', stop: 'x-stop' },
      optIns: new Set(['unsafeOnStaleConnection', 'nackHeader']),
    })
  })

  it('holds back 1 MiB of a body where a body is held back at all', () => {
    expect(checkRetryOptions({ body: 'buffer' }).bufferBytes).toBe(2 ** 20)
    expect(checkRetryOptions({ body: 'stream' }).bufferBytes).toBe(0)
  })

  it.each(optInNames.filter((name) => name !== 'nackHeader'))('opts in to %s by its name', (name) => {
    expect(checkRetryOptions({ [name]: true }).optIns).toEqual(new Set([name]))
    expect(checkRetryOptions({ [name]: false }).optIns).toEqual(new Set())
    expect(() => checkRetryOptions({ [name]: 'yes' })).toThrow(
      new TypeError(`retry.${name} must be true or false, but is the string "yes"`),
    )
  })

  it('lets a small cap lower the defaults, but not what was asked for', () => {
    expect(checkRetryOptions({ backoff: { cap: 10 } }).backoff).toEqual({
      baseMs: 50,
      throttledBaseMs: 1000,
      capMs: 10,
    })
    expect(() => checkRetryOptions({ backoff: { cap: 10, base: 11 } })).toThrow(
      'retry.backoff.base must be at most retry.backoff.cap, which is 10, but is 11',
    )
    expect(() => checkRetryOptions({ backoff: { throttledBase: 20_001 } })).toThrow(
      'retry.backoff.throttledBase must be at most retry.backoff.cap, which is 20000, but is 20001',
    )
  })

  class Settings {
    attempts = 9
  }
  it.each<[unknown, string]>([
    [true, 'retry must be a plain object, or false to switch it off, but is true'],
    [3, 'retry must be a plain object, or false to switch it off, but is 3'],
    ['off', 'retry must be a plain object, or false to switch it off, but is the string "off"'],
    [null, 'retry must be a plain object, but is null'],
    [[3], 'retry must be a plain object, but is an array'],
    [new Settings(), 'retry must be a plain object, but is an instance of a class'],
    [Object.create({ attempts: 9 }), 'retry must be a plain object, but is an instance of a class'],
    [{ attempts: '3' }, 'retry.attempts must be an integer from 1 to 100, but is the string "3"'],
    [{ attempts: 0 }, 'retry.attempts must be an integer from 1 to 100, but is 0'],
    [{ attempts: 2.5 }, 'retry.attempts must be an integer from 1 to 100, but is 2.5'],
    [{ attempts: Number.POSITIVE_INFINITY }, 'retry.attempts must be an integer from 1 to 100, but is Infinity'],
    [{ attempts: 3n }, 'retry.attempts must be an integer from 1 to 100, but is the bigint 3'],
    [{ attempts: null }, 'retry.attempts must be an integer from 1 to 100, but is null'],
    [{ attempts: () => 3 }, 'retry.attempts must be an integer from 1 to 100, but is a function'],
    [{ maxRetryAfter: -1 }, 'retry.maxRetryAfter must be a number of at least 0, but is -1'],
    [{ maxRetryAfter: Number.NaN }, 'retry.maxRetryAfter must be a number of at least 0, but is NaN'],
    [{ backoff: 50 }, 'retry.backoff must be a plain object, but is 50'],
    [{ backoff: { base: -1 } }, 'retry.backoff.base must be a number from 0 to 2147483647, but is -1'],
    [{ backoff: { max: 1 } }, 'retry.backoff.max is not an option: known are: base, throttledBase, cap'],
    [{ statuses: 503 }, 'retry.statuses must be an array of statuses, but is 503'],
    [{ statuses: [503, 200] }, 'retry.statuses[1] must be an integer from 400 to 599, but is 200'],
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
    [{ statuses: [503, , 500] }, 'retry.statuses[1] must be an integer from 400 to 599, but is undefined'],
    [
      { pushbackHeader: 'not a header' },
      'retry.pushbackHeader must be the name of a header, but is the string "not a header"',
    ],
    [{ body: 'whole' }, "retry.body must be 'stream' or 'buffer', but is the string \"whole\""],
    [{ bufferLimit: 0, body: 'buffer' }, 'retry.bufferLimit must be an integer from 1 to 1073741824, but is 0'],
    [{ bufferLimit: 5000 }, "retry.bufferLimit must be only with retry.body 'buffer', but is 5000"],
    [{ nackHeader: true }, 'retry.nackHeader must be the name of a header, but is true'],
    [{ attemps: 3 }, 'retry.attemps is not an option: did you mean attempts?'],
    [{ Attempts: 3 }, 'retry.Attempts is not an option: did you mean attempts?'],
    [{ unsafeOn492: true }, 'retry.unsafeOn492 is not an option: did you mean unsafeOn429?'],
    [JSON.parse('{"__proto__":{"attempts":9}}'), 'retry.__proto__ is not an option: known are: attempts, backoff,'],
    [{ constructor: 1 }, 'retry.constructor is not an option: known are:'],
  ])('refuses the wrong value %#', (options, message) => {
    expect(() => checkRetryOptions(options)).toThrow(TypeError)
    expect(() => checkRetryOptions(options)).toThrow(message)
  })

  it('names the path that it is told', () => {
    expect(() => checkRetryOptions({ attempts: 0 }, 'init.retry')).toThrow(/^init\.retry\.attempts must be/)
  })

  it('takes an object of another realm, and one without a prototype', () => {
    expect(checkRetryOptions(runInNewContext('({ attempts: 7, statuses: [500] })')).attempts).toBe(7)
    expect(checkRetryOptions(Object.assign(Object.create(null), { attempts: 7 })).attempts).toBe(7)
  })

  it('gives a policy that cannot be changed, and does not change its input', () => {
    const options = Object.freeze({ statuses: Object.freeze([503]), backoff: Object.freeze({ base: 1 }) })
    const policy = checkRetryOptions(options)
    for (const part of [policy, policy.backoff, policy.statuses, policy.signalHeaders, defaultRetryPolicy]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })

  describe('with a polluted Object.prototype', () => {
    afterEach(() => {
      for (const name of ['attempts', 'unsafeOn503', 'base']) Reflect.deleteProperty(Object.prototype, name)
    })

    it('reads own properties only', () => {
      Object.assign(Object.prototype, { attempts: 99, unsafeOn503: true, base: 7 })
      expect(checkRetryOptions({ backoff: {} })).toEqual(defaultRetryPolicy)
    })
  })

  it('takes it or throws a TypeError that begins with the path, whatever comes', () => {
    const names = ['attempts', 'backoff', 'statuses', 'maxRetryAfter', 'pushbackHeader', 'resume', 'retries']
    const options = fc.oneof(fc.anything(), fc.dictionary(fc.constantFrom(...names), fc.anything()))
    fc.assert(
      fc.property(options, (given) => {
        try {
          const policy = checkRetryOptions(given)
          expect(policy.attempts).toBeGreaterThanOrEqual(1)
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
          expect((error as Error).message).toMatch(/^retry(?:\.[^ ]* | must be )/)
        }
      }),
    )
  })
})

describe('option checks', () => {
  it('let both ends of a range through', () => {
    expect(checkNumber('a', 0, { min: 0, max: 9 })).toBe(0)
    expect(checkNumber('a', 9, { min: 0, max: 9 })).toBe(9)
    expect(checkNumber('a', Number.POSITIVE_INFINITY, { min: 0, max: Number.POSITIVE_INFINITY })).toBe(
      Number.POSITIVE_INFINITY,
    )
    expect(() => checkNumber('a', 9.001, { min: 0, max: 9 })).toThrow('a must be a number from 0 to 9, but is 9.001')
  })

  it('let only true and false be a switch', () => {
    expect(checkBoolean('a', false)).toBe(false)
    for (const value of [0, 1, '', 'true', null, undefined, {}])
      expect(() => checkBoolean('a', value)).toThrow(TypeError)
  })

  it('give a header name in lower case', () => {
    expect(checkHeaderName('a', 'X-Retry_After!')).toBe('x-retry_after!')
    for (const value of ['', 'a b', 'a:b', 'caf\u00e9', 'a'.repeat(257), 1])
      expect(() => checkHeaderName('a', value)).toThrow(TypeError)
  })

  it('suggest the nearest name, and none when nothing is near', () => {
    const unknown = (name: string) => () => checkKnown('timeout', { [name]: 1 }, ['connect', 'attempt', 'total'])
    expect(unknown('conect')).toThrow('timeout.conect is not an option: did you mean connect?')
    expect(unknown('totla')).toThrow('did you mean total?')
    expect(unknown('connectxy')).toThrow('did you mean connect?')
    // Three letters too many, or too few, are another word.
    expect(unknown('connectxyz')).toThrow('known are:')
    expect(unknown('conn')).toThrow('known are:')
    expect(unknown('xyz')).toThrow('timeout.xyz is not an option: known are: connect, attempt, total')
    expect(unknown('connect')).not.toThrow()
    expect(unknown('x'.repeat(5000))).toThrow(/^timeout\.x{40}… is not an option/)
  })

  it('print no more of a value than is needed to know it again', () => {
    const message = (value: unknown) => {
      try {
        return checkNumber('a', value, { min: 0, max: 1 })
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(message('s'.repeat(5000))).toBe(`a must be a number from 0 to 1, but is the string "${'s'.repeat(40)}…"`)
    expect(message({ password: 'secret' })).toBe('a must be a number from 0 to 1, but is an object')
    expect(message(Symbol('secret'))).toBe('a must be a number from 0 to 1, but is a symbol')
  })

  it('read a section by its methods', () => {
    const section = openSection('timeout', { total: 5, strict: true, header: 'X-A', other: [1] }, [
      'total',
      'strict',
      'header',
      'other',
      'absent',
    ])
    expect(section.path).toBe('timeout')
    expect(section.number('total', { min: 0, max: 9 })).toBe(5)
    expect(section.boolean('strict')).toBe(true)
    expect(section.headerName('header')).toBe('x-a')
    expect(section.raw('other')).toEqual([1])
    expect(section.number('absent', { min: 0, max: 9 })).toBeUndefined()
    expect(section.raw('toString')).toBeUndefined()
    expect(() => section.number('strict', { min: 0, max: 9 })).toThrow(
      'timeout.strict must be a number from 0 to 9, but is true',
    )
  })
})
