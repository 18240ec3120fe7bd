import { describe, expect, test } from 'vitest'
import { familyOfCap, familyOfTimer, idleTimeouts } from '../../src/knowledge/idle-timeouts.js'

describe('every row', () => {
  test('85 products, each once', () => {
    expect(idleTimeouts.length).toBe(85)
    expect(new Set(idleTimeouts.map(({ component }) => component)).size).toBe(85)
  })

  test.each(idleTimeouts.map((row) => [row.component, row] as const))('%s', (_name, row) => {
    expect(row.component).toMatch(/^\S.{2,60}$/)
    expect(['server', 'proxy', 'flow-balancer', 'nat', 'firewall', 'client', 'kernel']).toContain(row.role)
    expect(['fin', 'rst', 'rst-on-next-packet', 'silent', 'answer', 'own-side', 'times-out']).toContain(row.ends)
    expect(['measured', 'read', 'quoted', 'recalled']).toContain(row.confidence)
    // Where it stands: an address, a file of a repository, a document with a number or a name.
    expect(row.source).toMatch(/^(?:measured(?:; )?)?(?:https:\/\/\S+|\S+\/\S+ .+|RFC \d+.*|\S.{5,})$/)
    if (row.confidence === 'read' || row.confidence === 'quoted') expect(row.source.length).toBeGreaterThan(8)
    for (const seconds of [row.idleSeconds, row.seenSeconds]) {
      if (seconds !== undefined) expect(seconds).toBeGreaterThan(0)
    }
    if (row.requestCap !== undefined) expect(Number.isInteger(row.requestCap) && row.requestCap > 0).toBe(true)
    if (row.note !== undefined) expect(row.note).toMatch(/^\S.*\S$/)
    // What forwards packets holds no connection that it could close with a FIN, a NAT instance apart.
    if (row.role === 'firewall') expect(row.ends).toBe('silent')
    if (row.role === 'client') expect(row.ends).toBe('own-side')
    if (row.role === 'kernel') expect(row.ends).toBe('times-out')
    if (row.sign !== undefined) expect(['server', 'proxy']).toContain(row.role)
  })
})

describe('a measured idle time', () => {
  test.each([
    // Whoever closes shows its timer: both sides count.
    [60_200, 'closed', undefined, 60, ['AWS ALB', 'Tomcat']],
    [6_300, 'closed', undefined, 6.2, ['Node http server']],
    [75_900, 'closed', 'nginx/1.29', 75, ['nginx']],
    [5_100, 'closed', 'Apache/2.4', 5, ['Apache httpd']],
    [400_500, 'closed', undefined, 400, ['Cloudflare']],
    // What is only noticed on use has run out before: the longest that fits.
    [360_000, 'reset', undefined, 350, ['AWS NLB', 'AWS NAT gateway']],
    [250_000, 'reset', undefined, 240, ['Azure NAT Gateway']],
    [650_000, 'silent', undefined, 600, ['Google VPC firewall']],
    [300_100, 'reset', undefined, 300, ['F5 BIG-IP']],
  ] as const)('%s ms %s (%s)', (idleMs, end, name, value, components) => {
    const family = familyOfTimer(idleMs, end, name)
    expect(family?.value).toBe(value)
    const members = family?.members.map(({ component }) => component)
    for (const component of components) expect(members).toContain(component)
    expect(family?.says).toMatch(new RegExp(`^${value} s: the (?:family|default) of `))
  })

  test.each([
    [22_500, 'closed'],
    [3_000, 'reset'],
    [3_000, 'silent'],
    [200_000, 'closed'],
    [Number.NaN, 'closed'],
    [Number.POSITIVE_INFINITY, 'silent'],
  ] as const)('%s ms %s fits none', (idleMs, end) => {
    expect(familyOfTimer(idleMs, end)).toBeUndefined()
  })

  test('names a family, never more than three of it', () => {
    expect(familyOfTimer(355_000, 'reset')?.says).toMatch(
      /^350 s: the family of AWS NLB, [^,]+, [^,]+ and \d+ others?$/,
    )
  })
})

test.each([
  [100, 'Apache httpd'],
  [1_000, 'nginx'],
  [999, 'Puma 7'],
  [10_000, 'OCI load balancer'],
])('a connection that ends after %s requests', (requests, component) => {
  const family = familyOfCap(requests)
  expect(family?.members.map((row) => row.component)).toContain(component)
  expect(family?.says).toContain(`${requests} requests: `)
})

test('no product closes after 42 requests', () => {
  expect(familyOfCap(42)).toBeUndefined()
})
