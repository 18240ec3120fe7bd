import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { type ClassifiedRequest, isIdempotentMethod, requestClass } from '../../src/policy/idempotency.js'

const headers = (fields: Record<string, string | null>) => ({
  header: (name: string) => new Headers(known(fields)).get(name),
})
const known = (fields: Record<string, string | null>) =>
  Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [[name, value]])))

const methods: readonly [string, boolean][] = [
  ...['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PUT', 'DELETE'].map((method) => [method, true] as [string, boolean]),
  // fetch writes these in upper case, and no others.
  ...['get', 'Head', 'options', 'put', 'delete'].map((method) => [method, true] as [string, boolean]),
  ...['POST', 'PATCH', 'CONNECT', 'post', 'patch', 'trace', 'query', 'PROPFIND', 'GETS', 'XGET', '', 'GET '].map(
    (method) => [method, false] as [string, boolean],
  ),
]

describe('isIdempotentMethod', () => {
  it.each(methods)('%j: %s', (method, idempotent) => {
    expect(isIdempotentMethod(method)).toBe(idempotent)
  })
})

describe('requestClass', () => {
  const cases: readonly [string, ClassifiedRequest, string][] = [
    ['GET', { method: 'GET' }, 'idempotent'],
    ['POST', { method: 'POST' }, 'unsafe'],
    ['the option', { method: 'POST', idempotencyKey: 'order-7' }, 'keyed'],
    ['the header', { method: 'POST', ...headers({ 'Idempotency-Key': '"order-7"' }) }, 'keyed'],
    ['the header in capitals', { method: 'PATCH', ...headers({ 'IDEMPOTENCY-KEY': 'order-7' }) }, 'keyed'],
    ['the older header', { method: 'POST', ...headers({ 'X-Idempotency-Key': 'order-7' }) }, 'keyed'],
    ['an empty option', { method: 'POST', idempotencyKey: '' }, 'unsafe'],
    ['an empty header', { method: 'POST', ...headers({ 'Idempotency-Key': '' }) }, 'unsafe'],
    ['another header', { method: 'POST', ...headers({ 'X-Request-Id': 'order-7' }) }, 'unsafe'],
    ['a key on a method that needs none', { method: 'PUT', idempotencyKey: 'order-7' }, 'idempotent'],
    ['a declared POST', { method: 'POST', idempotent: true }, 'idempotent'],
    ['a declared POST with a key', { method: 'POST', idempotent: true, idempotencyKey: 'order-7' }, 'idempotent'],
    ['a GET that does something', { method: 'GET', idempotent: false }, 'unsafe'],
    ['a key that is not to be relied on', { method: 'POST', idempotent: false, idempotencyKey: 'order-7' }, 'unsafe'],
    [
      'nothing declared',
      { method: 'POST', idempotent: undefined, idempotencyKey: undefined, header: undefined },
      'unsafe',
    ],
  ]
  it.each(cases)('%s', (_, request, expected) => {
    expect(requestClass(request)).toBe(expected)
  })

  it('lets the explicit word win, whatever else is said', () => {
    fc.assert(
      fc.property(fc.string(), fc.boolean(), fc.string(), (method, idempotent, key) => {
        const request = { method, idempotent, idempotencyKey: key, header: () => key }
        expect(requestClass(request)).toBe(idempotent ? 'idempotent' : 'unsafe')
      }),
    )
  })

  it('looks at headers only where they can matter', () => {
    const header = vi.fn(() => undefined)
    requestClass({ method: 'GET', header })
    requestClass({ method: 'POST', idempotent: true, header })
    requestClass({ method: 'POST', idempotencyKey: 'order-7', header })
    expect(header).not.toHaveBeenCalled()
    requestClass({ method: 'POST', header })
    expect(header.mock.calls).toEqual([['idempotency-key'], ['x-idempotency-key']])
  })
})
