// `npm run sim`: the simulations of load with the policies that were just built. Prints the figures, writes them to
// docs/simulation.md and the plots to docs/plots, and ends with 1 when a figure is not as it has to be.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { charts } from './charts.js'
import { outage, stall, steadyState, stragglers } from './figures.js'
import { report } from './report.js'

const root = join(import.meta.dirname, '../..')
const built = (/** @type {string} */ name) => import(new URL(`../../build/policy/${name}.js`, import.meta.url).href)
const policies = Object.assign({}, ...(await Promise.all(['budget', 'budget-options', 'backoff', 'hedge'].map(built))))

const results = {
  steady: steadyState(policies, { seconds: 180 }),
  outage: outage(policies),
  stall: stall(policies, { seeds: 5, seconds: 400 }),
  stragglers: stragglers(policies, { calls: 400_000 }),
}

const { page, lines } = report(results)
for (const line of lines) console.log(line)

mkdirSync(join(root, 'docs/plots'), { recursive: true })
writeFileSync(join(root, 'docs/simulation.md'), page)
for (const [name, svg] of Object.entries(charts(policies, results.stragglers.results))) {
  writeFileSync(join(root, 'docs/plots', name), svg)
}

const missed = Object.values(results).flatMap(({ checks }) => checks.filter(({ ok }) => !ok))
for (const { what, found, allowed } of missed) console.error(`MISSED: ${what}: ${found}, but ${allowed}`)
process.exitCode = missed.length === 0 ? 0 : 1
