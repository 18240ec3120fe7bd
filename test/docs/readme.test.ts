/** The tables of the README say what the code says, in both directions. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as offhook from 'offhook'
import { misdeeds } from 'offhook/testing'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { demoLines } from '../../src/doctor/demo-lines.js'
import { errorClasses } from '../../src/failure/errors.js'
import { deliveries, failureKinds, phases } from '../../src/failure/kinds.js'
import { checkClientOptions } from '../../src/options.js'

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')
const readme = read('README.md')

const switches = [
  'unsafeOnStaleConnection',
  'unsafeOn429',
  'unsafeOn503',
  'unsafeOnHttp11Required',
  'trustProxyStatus',
  'idempotentOnInvalidResponse',
  'keyedAfterCutBody',
  'resume',
] as const

/** The rows of the table whose first heading this is, cell by cell. */
function tableUnder(heading: string): string[][] {
  const lines = readme.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`))
  expect(start, `a table under ${heading}`).toBeGreaterThan(0)
  const end = lines.findIndex((line, at) => at > start && !line.startsWith('|'))
  return lines.slice(start + 2, end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}

const quoted = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)

/** The names of an interface's properties, as the source declares them. */
function membersOf(path: string, name: string): string[] {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest)
  const found = source.statements.find((one) => ts.isInterfaceDeclaration(one) && one.name.text === name)
  if (found === undefined || !ts.isInterfaceDeclaration(found)) throw new Error(`no interface ${name} in ${path}`)
  return found.members.map((member) => (member.name as ts.Identifier).text)
}

describe('errors', () => {
  const rows = tableUnder('class')

  test('each class that is exported has a row, and each row a class', () => {
    const exported = Object.values(offhook).filter(
      (value) => typeof value === 'function' && value.prototype instanceof offhook.OffhookError,
    )
    expect(rows.map(([name]) => quoted(name)[0]).sort()).toEqual(exported.map(({ name }) => name).sort())
  })

  test('class and kind of a row belong together, in the order of the kinds', () => {
    const pairs = rows.map(([name, kind]) => [quoted(kind)[0], quoted(name)[0]])
    expect(pairs).toEqual(failureKinds.map((kind) => [kind, errorClasses[kind].name]))
  })

  test('every delivery and every phase is named', () => {
    expect(
      tableUnder('delivery')
        .map(([name]) => quoted(name)[0])
        .sort(),
    ).toEqual([...deliveries].sort())
    const named = /`phase` \(([^)]+)\)/.exec(readme)?.[1]
    expect(quoted(named)).toEqual([...phases])
  })
})

describe('options', () => {
  const rows = tableUnder('option')
  const sections: Readonly<Record<string, readonly string[]>> = {
    timeout: membersOf('src/options.ts', 'TimeoutOptions'),
    retry: membersOf('src/policy/retry-options.ts', 'RetryOptions'),
    http2: membersOf('src/options.ts', 'Http2Options'),
    diagnosis: membersOf('src/policy/diagnosis-options.ts', 'DiagnosisOptions'),
  }

  test('each option has a row, and each row is an option', () => {
    const inCode = membersOf('src/options.ts', 'ClientOptions').flatMap((name) => {
      const names = (sections[name] ?? []).map((member) => `${name}.${member}`)
      // A section that is nothing but its members needs no row of its own.
      return ['timeout', 'retry', 'diagnosis'].includes(name) ? names : [name, ...names]
    })
    expect(rows.flatMap(([names]) => quoted(names)).sort()).toEqual(inCode.sort())
  })

  test.each(defaults())('%s defaults to %s', (name, value) => {
    const row = rows.find(([names]) => quoted(names).includes(name))
    expect(row?.[1]?.replaceAll('`', '')).toBe(value)
  })

  test('each option of a call is named', () => {
    const sentence = /Each call takes (.+?) as well/.exec(readme)?.[1]
    expect(quoted(sentence).sort()).toEqual(membersOf('src/adapters/call-options.ts', 'CallOptions').sort())
  })
})

/** What a client does that is told nothing, as the README writes it. */
function defaults(): [string, string][] {
  const { limits, retry, connections, throwOnStatus } = checkClientOptions()
  const ms = (value: number | undefined) => (value === undefined ? 'none' : `${value.toLocaleString('en')} ms`)
  const { baseMs, throttledBaseMs, capMs } = retry.backoff
  const flags = switches.map((name): [string, string] => [`retry.${name}`, String(retry.optIns.has(name))])
  return [
    ...(['connect', 'attempt', 'headers', 'body', 'total'] as const).map((name): [string, string] => [
      `timeout.${name}`,
      ms(limits[name]),
    ]),
    ['retry.attempts', String(retry.attempts)],
    ['retry.backoff', `{ base: ${baseMs}, throttledBase: ${throttledBaseMs}, cap: ${capMs} } ms`],
    ['retry.statuses', retry.statuses.join(' ')],
    ['retry.maxRetryAfter', ms(retry.maxRetryAfterMs)],
    ...flags,
    ['connections', connections.connections === undefined ? 'no limit' : String(connections.connections)],
    ['keepAlive', ms(connections.keepAliveMs)],
    ['throwOnStatus', String(throwOnStatus)],
  ]
}

describe('figures', () => {
  test('the misdeeds are as many as the README says', () => {
    expect(readme).toContain(`${Object.keys(misdeeds).length} ready-made misdeeds`)
  })

  test('the demo has as many lines as the README says', () => {
    expect(demoLines.length).toBe(16)
    expect(readme).toContain('sixteen ways to be hung up on')
  })
})
