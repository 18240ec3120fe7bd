// Writes the pages of the public surface anew: `npm run api`. What changes in them is what changes for users.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { apiPages } from './api-surface.js'

const folder = join(resolve(dirname(fileURLToPath(import.meta.url)), '..'), 'test/api')
const pages = apiPages()
mkdirSync(folder, { recursive: true })
for (const name of readdirSync(folder)) if (name.endsWith('.api.md') && !pages.has(name)) rmSync(join(folder, name))
for (const [name, text] of pages) writeFileSync(join(folder, name), text)
console.log(`${pages.size} pages in test/api`)
