// `npm run decisions`: docs/decisions.md, printed from the table that was just built.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decisionPage } from './decision-page.js'

const { decisionTable } = await import(new URL('../build/policy/decision-table.js', import.meta.url).href)
writeFileSync(join(import.meta.dirname, '../docs/decisions.md'), decisionPage(decisionTable))
