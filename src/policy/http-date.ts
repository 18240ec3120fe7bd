/** The three forms of a date in HTTP (RFC 9110 §5.6.7), read strictly: what is not one of them is no date. */

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const month = `(?<month>${months.join('|')})`
const time = '(?<hour>[0-9]{2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2})'
const shortDay = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const longDay = '(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)'

const forms = [
  // Sun, 06 Nov 1994 08:49:37 GMT
  new RegExp(`^${shortDay}, (?<day>[0-9]{2}) ${month} (?<year>[0-9]{4}) ${time} GMT$`),
  // Sunday, 06-Nov-94 08:49:37 GMT
  new RegExp(`^${longDay}, (?<day>[0-9]{2})-${month}-(?<year>[0-9]{2}) ${time} GMT$`),
  // Sun Nov  6 08:49:37 1994
  new RegExp(`^${shortDay} ${month} (?<day>[0-9 ][0-9]) ${time} (?<year>[0-9]{4})$`),
]

/**
 * Reads a date: milliseconds since 1970, or `undefined` when the text is not a date of HTTP, or names a day or an hour
 * that does not exist. The weekday's name must be one, but it need not fit the date.
 *
 * @param nowEpochMs milliseconds since 1970, to place a year of two digits in its century
 */
export function parseHttpDate(text: string, nowEpochMs: number): number | undefined {
  // The longest form has 33 characters; a header may be of any length.
  if (text.length > 40) return undefined
  for (const form of forms) {
    const parts = form.exec(text)?.groups
    if (parts !== undefined) return toEpoch(parts, nowEpochMs)
  }
  return undefined
}

function toEpoch(parts: Record<string, string | undefined>, nowEpochMs: number): number | undefined {
  const number = (name: string): number => Number(parts[name])
  const day = number('day')
  const hour = number('hour')
  const minute = number('minute')
  // 60 is a leap second, which the clocks of computers do not have.
  const second = Math.min(number('second'), 59)
  if (hour > 23 || minute > 59 || number('second') > 60) return undefined
  const monthIndex = months.indexOf(parts['month'] ?? '')
  const year = parts['year']?.length === 2 ? fullYear(number('year'), nowEpochMs) : number('year')
  const date = new Date(0)
  // Not Date.UTC, which takes the years 0 to 99 for the twentieth century.
  date.setUTCFullYear(year, monthIndex, day)
  date.setUTCHours(hour, minute, second)
  // A day that does not exist rolls over into another month: 31 February into March, 0 November into October.
  return date.getUTCMonth() === monthIndex ? date.getTime() : undefined
}

/** A year that would lie more than 50 years ahead is the most recent past one with the same two digits. */
function fullYear(lastTwoDigits: number, nowEpochMs: number): number {
  const thisYear = new Date(nowEpochMs).getUTCFullYear()
  const sameCentury = thisYear - (thisYear % 100) + lastTwoDigits
  if (sameCentury > thisYear + 50) return sameCentury - 100
  return sameCentury <= thisYear - 50 ? sameCentury + 100 : sameCentury
}
