/** The public surface is written down, name by name; a change of it is a change of these pages, which somebody reads. */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { apiPages } from '../../scripts/api-surface.js'

const folder = fileURLToPath(new URL('.', import.meta.url))
const files = readdirSync(folder).filter((name) => name.endsWith('.api.md'))
const manifest = JSON.parse(readFileSync(`${folder}/../../package.json`, 'utf8'))
let pages: Map<string, string>

beforeAll(() => {
  pages = apiPages()
}, 300_000)

test('there is a page for each entrance', () => {
  expect(files.sort()).toEqual([...pages.keys()].sort())
  expect(files).toHaveLength(Object.keys(manifest.exports).length - 1)
})

describe.each(files)('%s', (file) => {
  const page = readFileSync(`${folder}/${file}`, 'utf8')
  const name = file.replace('.api.md', '')
  const entrance = name === manifest.name ? name : `${manifest.name}/${name}`

  test('is what can be imported now; where that is meant to change, `npm run api` writes it anew', () => {
    expect(page).toBe(pages.get(file))
  })

  test('has every value that there is at run time, and no other', async () => {
    const [shown = ''] = page.split('## Without a public name')
    const declared = [...shown.matchAll(/^(?:abstract class|class|function|const) (\w+)/gm)].map(([, value]) => value)
    const renamed = [...shown.matchAll(/^\/\/ as (\w+)\n\w+ (\w+)/gm)].map(([, as, own]) => [own, as] as const)
    const names = new Set(declared.map((value) => new Map(renamed).get(value ?? '') ?? value))
    expect([...names].sort()).toEqual(Object.keys(await import(entrance)).sort())
  })

  test('holds nothing of the inside: no comment, no private member, no any', () => {
    expect(page).not.toMatch(/\/\*\*|#\w+;|@internal|: any\b/)
  })
})
