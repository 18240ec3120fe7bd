/** The memory of addresses that failed to connect: who is asked last, for how long, and how much is kept. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AddressMemory, defaultAddressSettings } from '../../src/policy/addresses.js'

const { forgetMs, most } = defaultAddressSettings
const list = (...addresses: string[]) => addresses.map((address) => ({ address, family: 4 }))
const names = (found: readonly { address: string }[]) => found.map(({ address }) => address)

describe('order', () => {
  it.each([
    ['nothing failed', [], ['a', 'b', 'c']],
    ['the first failed', [[0, 'a']], ['b', 'c', 'a']],
    ['the last failed', [[0, 'c']], ['a', 'b', 'c']],
    [
      'all failed: the one that has rested longest first',
      [
        [2, 'a'],
        [0, 'b'],
        [1, 'c'],
      ],
      ['b', 'c', 'a'],
    ],
    [
      'one failed twice',
      [
        [0, 'a'],
        [1, 'b'],
        [2, 'a'],
      ],
      ['c', 'b', 'a'],
    ],
  ] as const)('%s', (_, failures, expected) => {
    const memory = new AddressMemory()
    for (const [at, address] of failures) memory.failed(at, { address, port: 80 })
    expect(names(memory.order(10, 80, list('a', 'b', 'c')))).toEqual(expected)
  })

  it('never leaves one out, keeps those that did not fail in the order of the resolver, and all of those before the others', () => {
    const address = fc.constantFrom('a', 'b', 'c', 'd', 'e')
    const deed = fc.tuple(fc.boolean(), address, fc.nat(forgetMs / 4))
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 30 }), fc.uniqueArray(address), (deeds, found) => {
        const memory = new AddressMemory()
        let now = 0
        for (const [works, which, passes] of deeds) {
          now += passes
          if (works) memory.worked({ address: which, port: 1 })
          else memory.failed(now, { address: which, port: 1 })
        }
        const ordered = names(memory.order(now, 1, list(...found)))
        const failed = (which: string) => memory.hasFailed(now, { address: which, port: 1 })
        const untried = found.filter((which) => !failed(which))
        expect([...ordered].sort()).toEqual([...found].sort())
        expect(ordered.slice(0, untried.length)).toEqual(untried)
      }),
    )
  })
})

describe('what counts', () => {
  const at = { address: '127.0.0.1', port: 443 }

  it('is forgotten after a time, and when it worked', () => {
    const memory = new AddressMemory()
    memory.failed(0, at)
    expect(memory.hasFailed(forgetMs - 1, at)).toBe(true)
    expect(memory.hasFailed(forgetMs, at)).toBe(false)
    expect(names(memory.order(forgetMs, 443, list(at.address, 'other')))).toEqual([at.address, 'other'])
    memory.failed(forgetMs, at)
    memory.worked(at)
    expect(memory.hasFailed(forgetMs, at)).toBe(false)
  })

  it('is the port as well', () => {
    const memory = new AddressMemory()
    memory.failed(0, at)
    expect(memory.hasFailed(1, { ...at, port: 80 })).toBe(false)
    memory.worked({ ...at, port: 80 })
    expect(memory.hasFailed(1, at)).toBe(true)
  })

  it.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])('is not %s: this host is short of something', (code) => {
    const memory = new AddressMemory()
    memory.failed(0, at, code)
    expect(memory.hasFailed(0, at)).toBe(false)
  })

  it.each(['ECONNREFUSED', 'EHOSTUNREACH', 'ECONNRESET', 'EADDRNOTAVAIL', undefined])('is %s', (code) => {
    const memory = new AddressMemory()
    memory.failed(0, at, code)
    expect(memory.hasFailed(0, at)).toBe(true)
  })
})

it('keeps no more than it may, the newest, and nothing that is forgotten', () => {
  const memory = new AddressMemory()
  const host = (number: number) => ({ address: `host-${number}`, port: 1 })
  for (let number = 0; number < most + 50; number++) memory.failed(0, host(number))
  expect(memory.size).toBe(most)
  expect(memory.hasFailed(0, host(49))).toBe(false)
  expect(memory.hasFailed(0, host(50))).toBe(true)
  memory.failed(forgetMs, host(0))
  expect(memory.size).toBe(1)
})
