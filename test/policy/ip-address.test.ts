/** Addresses and ranges of them, against Node's own reading of both. */

import net, { BlockList } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isInRange, parseIp, parseIpRange } from '../../src/policy/ip-address.js'

const four = fc.ipV4()
const six = fc.ipV6()
const anything = fc.oneof(
  four,
  six,
  fc.stringMatching(/^[0-9a-f:.%]{0,40}$/),
  fc.constantFrom(
    '::',
    '::1',
    '1::',
    ':::',
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7::',
    '::1.2.3.4',
    '1.2.3.4::',
    '01.2.3.4',
  ),
)

describe('an address', () => {
  it('is what Node takes for one', () => {
    fc.assert(
      fc.property(anything, (text) => {
        // Zones name an interface of this host, and leading zeros are octal to some.
        fc.pre(!text.includes('%') && !/(^|[.:])0\d/.test(text.includes('.') ? text : ''))
        expect([text, parseIp(text) !== undefined]).toEqual([text, net.isIP(text) !== 0])
      }),
      { numRuns: 2_000 },
    )
  })

  it('is the same however it is written', () => {
    fc.assert(
      fc.property(six, (text) => {
        expect(parseIp(new URL(`http://[${text}]`).hostname.slice(1, -1))).toEqual(parseIp(text))
      }),
    )
  })

  it('is that of IPv4 where it is mapped', () => {
    expect(parseIp('::ffff:10.0.0.1')).toEqual(parseIp('10.0.0.1'))
    expect(parseIp('::ffff:a00:1')).toEqual({ value: 0x0a000001n, bits: 32 })
  })
})

describe('a range', () => {
  it('of a prefix is what BlockList makes of it', () => {
    const cases = fc.oneof(
      fc.tuple(fc.constant('ipv4' as const), four, four, fc.integer({ min: 0, max: 32 })),
      fc.tuple(fc.constant('ipv6' as const), six, six, fc.integer({ min: 0, max: 128 })),
    )
    fc.assert(
      fc.property(cases, fc.boolean(), ([family, base, other, length], near) => {
        const list = new BlockList()
        list.addSubnet(base, length, family)
        const range = parseIpRange(`${base}/${length}`)
        const asked = near ? base : other
        const address = parseIp(asked)
        // Node keeps mapped addresses apart.
        fc.pre(address?.bits === (family === 'ipv4' ? 32 : 128) && parseIp(base)?.bits === address.bits)
        expect(range !== undefined && address !== undefined && isInRange(address, range)).toBe(
          list.check(asked, family),
        )
      }),
    )
  })

  it('from one to another includes both ends', () => {
    const range = parseIpRange('10.0.0.5-10.0.0.9')
    const inside = ['10.0.0.4', '10.0.0.5', '10.0.0.9', '10.0.0.10', '::1'].map((text) => {
      const address = parseIp(text)
      return address !== undefined && range !== undefined && isInRange(address, range)
    })
    expect(inside).toEqual([false, true, true, false, false])
  })

  it.each([
    '',
    'a',
    '10.0.0.1/33',
    '10.0.0.1/',
    '10.0.0.1/-1',
    '::1/129',
    '10.0.0.9-10.0.0.1',
    '10.0.0.1-::1',
    '1.1.1.1-2',
    '10.0.0.0/8/8',
    'a-b',
    '1.1.1.1-2.2.2.2-3.3.3.3',
  ])('%j is none', (text) => {
    expect(parseIpRange(text)).toBeUndefined()
  })
})
