// The fuzz tests for as long as you like: `npm run fuzz -- --minutes 5`. What they find prints its seed and path, with
// which the property fails again.
import { spawnSync } from 'node:child_process'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0 && minutes <= 600)) {
  console.error('--minutes takes a number above 0, up to 600')
  process.exit(2)
}
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', 'test/fuzz'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, OFFHOOK_FUZZ_MINUTES: String(minutes) },
})
process.exitCode = status ?? 1
