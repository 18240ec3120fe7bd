// Mutation testing: `npm run mutation [-- GROUP …]`. One group of files after the other, each with the tests that are to
// find its mutants; what is left of each, and the score, at the end. Every group takes minutes to an hour on one core.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { groupOf, groups } from '../test/mutation/groups.js'
import { run } from './run.mjs'

const root = join(import.meta.dirname, '..')
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(groups)
let failed = false

for (const name of names) {
  groupOf(name)
  const env = { ...process.env, MUTATION_GROUP: name }
  const { ok, seconds } = await run('npx stryker run stryker.config.mjs', {
    cwd: root,
    env,
    show: true,
    patienceMs: 3 * 3_600_000,
  })
  if (!ok) {
    failed = true
    continue
  }
  const { files } = JSON.parse(readFileSync(join(root, `reports/mutation/${name}.json`), 'utf8'))
  let found = 0
  let missed = 0
  for (const [file, { mutants }] of Object.entries(files)) {
    for (const { status, mutatorName, replacement, location } of mutants) {
      if (status === 'Killed' || status === 'Timeout') found++
      if (status !== 'Survived' && status !== 'NoCoverage') continue
      missed++
      console.log(`${status}  ${file}:${location.start.line}  ${mutatorName}  ${String(replacement).slice(0, 80)}`)
    }
  }
  const score = ((100 * found) / (found + missed)).toFixed(1)
  console.log(`${name}: ${found} of ${found + missed} mutants found, ${score} %, in ${seconds.toFixed(0)} s`)
}
process.exitCode = failed ? 1 : 0
