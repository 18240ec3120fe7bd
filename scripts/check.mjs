// Everything a change must pass, one step after the other: `npm run check`, and .ci/run after its install.
// A failed step does not stop the next, so that one run tells all. The last line counts the tests as the runner counted
// them; a step that failed without a failed test (a type error, a file that does not load) counts as one failure.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './run.mjs'

const scratch = mkdtempSync(join(tmpdir(), 'offhook-check-'))
const counts = join(scratch, 'tests.json')

const steps = [
  { name: 'format and lint', command: 'npm run --silent lint' },
  { name: 'types', command: 'npm run --silent types' },
  { name: 'architecture', command: 'npm run --silent architecture' },
  { name: 'docs', command: 'npm run --silent docs' },
  { name: 'packaging', command: 'npm run --silent pack:check' },
  // A minute, most of which it sleeps.
  { name: 'soak', command: 'npm run --silent soak -- --minutes 1 --per-second 60' },
  { name: 'tests', command: `npm test --silent -- --reporter=dot --reporter=json --outputFile.json="${counts}"` },
]

function readCounts() {
  try {
    const result = JSON.parse(readFileSync(counts, 'utf8'))
    return {
      passed: result.numPassedTests,
      failed: result.numFailedTests,
      skipped: result.numPendingTests + result.numTodoTests,
    }
  } catch {
    // The runner ended before it could count: the step itself is the failure.
    return { passed: 0, failed: 0, skipped: 0 }
  }
}

const results = []
for (const { name, command } of steps) {
  console.log(`\n— ${name}`)
  const { ok, seconds } = await run(command, { show: true })
  results.push({ name, ok, seconds })
}
const { passed, failed, skipped } = readCounts()
rmSync(scratch, { recursive: true, force: true })

console.log('')
for (const { name, ok, seconds } of results) {
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(16)} ${seconds.toFixed(1).padStart(6)} s`)
}

const failures = failed + results.filter(({ name, ok }) => !ok && !(name === 'tests' && failed > 0)).length
if (skipped > 0) console.log(`\n${skipped} skipped`)
console.log(`\n${passed} passed, ${failures} failed`)
process.exitCode = failures > 0 || passed === 0 ? 1 : 0
