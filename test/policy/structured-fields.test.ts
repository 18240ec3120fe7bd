import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BareItem, parseDictionary, parseList } from '../../src/policy/structured-fields.js'

/** A list as plain data: `[type, value, parameters]`. */
const list = (text: string) =>
  parseList(text)?.map(({ type, value, parameters }) => [type, value, Object.fromEntries([...parameters].map(plain))])
const plain = ([key, item]: [string, BareItem]): [string, unknown] => [key, item.value]

describe('parseList', () => {
  it.each<[string, unknown]>([
    ['', []],
    ['   ', []],
    ['a', [['token', 'a', {}]]],
    ['*a/b:c', [['token', '*a/b:c', {}]]],
    [
      'a , b,\tc',
      [
        ['token', 'a', {}],
        ['token', 'b', {}],
        ['token', 'c', {}],
      ],
    ],
    ['"a \\"quoted\\" \\\\ text"', [['string', 'a "quoted" \\ text', {}]]],
    ['""', [['string', '', {}]]],
    [
      '0, -0, 42, -999999999999999',
      [
        ['number', 0, {}],
        ['number', -0, {}],
        ['number', 42, {}],
        ['number', -999999999999999, {}],
      ],
    ],
    [
      '1.5, -0.125',
      [
        ['number', 1.5, {}],
        ['number', -0.125, {}],
      ],
    ],
    [
      '?1, ?0',
      [
        ['boolean', true, {}],
        ['boolean', false, {}],
      ],
    ],
    [':aGk=:', [['bytes', 'aGk=', {}]]],
    ['@1659578233', [['date', 1659578233, {}]]],
    ['%"caf%c3%a9"', [['display', 'caf%c3%a9', {}]]],
    ['("a" b;c 1);d', [['inner-list', '', { d: true }]]],
    ['()', [['inner-list', '', {}]]],
    ['"default";r=0;t=30', [['string', 'default', { r: 0, t: 30 }]]],
    ['a;x; y="z";x=?0', [['token', 'a', { x: false, y: 'z' }]]],
  ])('reads %j', (text, items) => {
    expect(list(text)).toEqual(items)
  })

  it.each([
    ',',
    'a,',
    ',a',
    'a,,b',
    'a b',
    'a;',
    'a;A=1',
    'a;=1',
    'a;b=',
    'a; b =1',
    'a ;b',
    '"open',
    '"bad \\n escape"',
    '"caf\u00e9"',
    '"tab\t"',
    '1.',
    '1.2345',
    '1234567890123.1',
    '1234567890123456',
    '1.2.3',
    '-',
    '--1',
    '?2',
    ':not base64!:',
    ':open',
    '@1.5',
    '%"UPPER%C3"',
    '%open',
    '(a',
    '(a b',
    '(a,b)',
    '("a""b")',
    'limit=100, remaining=0',
    '{}',
    'a\n',
    '\ta',
  ])('refuses %j whole', (text) => {
    expect(parseList(text)).toBeUndefined()
  })

  it('is bounded', () => {
    expect(parseList(Array(128).fill('a').join(','))).toHaveLength(128)
    expect(parseList(Array(129).fill('a').join(','))).toBeUndefined()
    expect(parseList(`a${Array.from({ length: 128 }, (_, at) => `;p${at}`).join('')}`)).toHaveLength(1)
    expect(parseList(`a${Array.from({ length: 129 }, (_, at) => `;p${at}`).join('')}`)).toBeUndefined()
    expect(parseList(`(${'a '.repeat(128)})`)).toHaveLength(1)
    expect(parseList(`(${'a '.repeat(129)})`)).toBeUndefined()
    expect(parseList('a'.repeat(8192))).toHaveLength(1)
    expect(parseList('a'.repeat(8193))).toBeUndefined()
  })

  it('reads back what was written', () => {
    const token = fc
      .stringMatching(/^[A-Za-z*][!#$%&'*+\-.^_`|~:/0-9A-Za-z]{0,10}$/)
      .map((value) => ({ text: value, value }))
    const string = fc
      .stringMatching(/^[\x20-\x7e]{0,12}$/)
      .map((value) => ({ text: `"${value.replace(/["\\]/g, '\\$&')}"`, value }))
    const number = fc
      .integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 })
      .map((value) => ({ text: `${value}`, value }))
    const bare = fc.oneof(token, string, number)
    const key = fc.stringMatching(/^[a-z*][a-z0-9_\-.*]{0,6}$/)
    const item = fc.record({ bare, parameters: fc.dictionary(key, bare, { maxKeys: 4, noNullPrototype: true }) })
    fc.assert(
      fc.property(fc.array(item, { maxLength: 6 }), (items) => {
        const written = items.map(({ bare: { text }, parameters }) =>
          [text, ...Object.entries(parameters).map(([name, { text: of }]) => `${name}=${of}`)].join(';'),
        )
        const read = parseList(written.join(', '))
        expect(read?.map(({ value }) => value)).toEqual(items.map((one) => one.bare.value))
        expect(read?.map(({ parameters }) => [...parameters].map(plain))).toEqual(
          items.map(({ parameters }) => Object.entries(parameters).map(([name, { value }]) => [name, value])),
        )
      }),
    )
  })

  it('never throws, whatever comes', () => {
    const pieces = fc
      .array(
        fc.constantFrom(
          'a',
          '"',
          '\\',
          ';',
          '=',
          ',',
          ' ',
          '\t',
          '(',
          ')',
          '1',
          '.',
          '-',
          '?',
          ':',
          '@',
          '%',
          '\u0000',
          '\u00e9',
        ),
      )
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(fc.string(), pieces), (text) => {
        const [items, entries] = [parseList(text), parseDictionary(text)]
        expect(items === undefined || Array.isArray(items)).toBe(true)
        expect(entries === undefined || entries instanceof Map).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('parseDictionary', () => {
  const dictionary = (text: string) => {
    const entries = parseDictionary(text)
    return entries === undefined ? undefined : Object.fromEntries([...entries].map(plain))
  }

  it.each<[string, unknown]>([
    ['', {}],
    ['limit=100, remaining=0, reset=30', { limit: 100, remaining: 0, reset: 30 }],
    ['a=?0, b, c;foo=bar', { a: false, b: true, c: true }],
    ['a=1, a=2', { a: 2 }],
    ['a=(1 2);b', { a: '' }],
    ['a=1,', undefined],
    ['a=', undefined],
    ['A=1', undefined],
    ['"a"=1', undefined],
    ['a=1 b=2', undefined],
  ])('reads %j as %j', (text, entries) => {
    expect(dictionary(text)).toEqual(entries)
  })
})
