// The import table that contributors read is the one that is checked.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'

interface RoomRule {
  name: string
  from: { path: string }
  to: { pathNot: string[] }
}

const root = new URL('../../', import.meta.url)
const { forbidden }: { forbidden: RoomRule[] } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs')
const roomIn = (pattern: string) => /^\^src\/(\w+)\(/.exec(pattern)?.[1] ?? pattern

const checked = forbidden
  .filter((rule) => rule.name.startsWith('room-'))
  .map((rule) => {
    const room = roomIn(rule.from.path)
    return [room, rule.to.pathNot.map(roomIn).filter((name) => name !== room)]
  })

function written() {
  const text = readFileSync(new URL('CONTRIBUTING.md', root), 'utf8')
  const table = text.slice(text.indexOf('| room | may import |')).split('\n\n')[0] ?? ''
  return table
    .split('\n')
    .slice(2)
    .map((row) => [...row.matchAll(/`(\w+)`/g)].map((match) => match[1]))
    .map(([room, ...allowed]) => [room, allowed])
}

test('CONTRIBUTING shows the import table as it is checked', () => {
  expect(checked.length).toBeGreaterThan(10)
  expect(written()).toEqual(checked)
})

test('every command that CONTRIBUTING names is a script of the manifest', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
  const text = readFileSync(new URL('CONTRIBUTING.md', root), 'utf8')
  const named = [...text.matchAll(/`npm (?:run )?([\w:]+)`/g)].map((match) => match[1]).filter((name) => name !== 'ci')
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((name) => name !== undefined && !(name in scripts))).toEqual([])
})
