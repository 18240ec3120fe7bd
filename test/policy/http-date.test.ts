import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseHttpDate } from '../../src/policy/http-date.js'

const now = Date.UTC(2026, 6, 1)

describe('parseHttpDate', () => {
  const sixNovember = Date.UTC(1994, 10, 6, 8, 49, 37)
  it.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', sixNovember],
    ['Sunday, 06-Nov-94 08:49:37 GMT', sixNovember],
    ['Sun Nov  6 08:49:37 1994', sixNovember],
    ['Sun Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
    ['Thu, 29 Feb 2024 00:00:00 GMT', Date.UTC(2024, 1, 29)],
    ['Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2016, 11, 31, 23, 59, 59)],
    ['Mon, 01 Jan 0001 00:00:00 GMT', new Date(0).setUTCFullYear(1, 0, 1)],
    ['Fri, 31 Dec 9999 23:59:59 GMT', Date.UTC(9999, 11, 31, 23, 59, 59)],
    // The weekday's name is read, not checked: nothing depends on it.
    ['Mon, 06 Nov 1994 08:49:37 GMT', sixNovember],
  ])('reads %j', (text, epoch) => {
    expect(parseHttpDate(text, now)).toBe(epoch)
  })

  it.each([
    ['76', 2076],
    ['77', 1977],
    ['26', 2026],
    ['00', 2000],
    ['99', 1999],
  ])('places the year %s within 50 years ahead: %i', (digits, year) => {
    expect(parseHttpDate(`Sunday, 06-Nov-${digits} 08:49:37 GMT`, now)).toBe(Date.UTC(year, 10, 6, 8, 49, 37))
  })

  it('places a year of two digits in the next century when that is nearer', () => {
    expect(parseHttpDate('Sunday, 06-Nov-05 08:49:37 GMT', Date.UTC(2090, 0, 1))).toBe(Date.UTC(2105, 10, 6, 8, 49, 37))
  })

  it.each([
    '',
    'tomorrow',
    '2026-07-01T00:00:00Z',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49:37 gmt',
    'sun, 06 nov 1994 08:49:37 GMT',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 94 08:49:37 GMT',
    'Sun, 06-Nov-1994 08:49:37 GMT',
    'Sunday, 06 Nov 1994 08:49:37 GMT',
    'Sun Nov 6 08:49:37 1994',
    'Sun, 31 Feb 2024 00:00:00 GMT',
    'Wed, 29 Feb 2023 00:00:00 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 32 Dec 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT, Mon, 07 Nov 1994 08:49:37 GMT',
    '٠٦ Nov 1994 08:49:37 GMT',
  ])('takes %j for no date', (text) => {
    expect(parseHttpDate(text, now)).toBeUndefined()
  })

  it('reads every date that JavaScript writes in this form', () => {
    const dates = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    fc.assert(
      fc.property(dates, (date) => {
        expect(parseHttpDate(date.toUTCString(), now)).toBe(Math.floor(date.getTime() / 1000) * 1000)
      }),
    )
  })

  it('never throws, and gives a number or nothing', () => {
    const pieces = fc.array(
      fc.constantFrom('Sun', 'Sunday', ', ', ' ', '06', '-', 'Nov', '1994', '94', '08:49:37', 'GMT', '\n'),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          pieces.map((parts) => parts.join('')),
        ),
        (text) => {
          const epoch = parseHttpDate(text, now)
          if (epoch !== undefined) expect(Number.isSafeInteger(epoch)).toBe(true)
        },
      ),
    )
  })
})
