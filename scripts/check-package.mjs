// The package as a user gets it: packed, linted, installed into an empty project, imported, required and type-checked
// there. `npm run pack:check`; `-- --with undici@7.30.2 --with p-retry@7.1.1` puts these versions into that project
// instead of those that npm would choose.
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { run } from './run.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const entrances = Object.keys(manifest.exports)
  .filter((path) => path !== './package.json')
  .map((path) => path.replace('.', manifest.name))

const { values: asked } = parseArgs({ options: { with: { type: 'string', multiple: true, default: [] } } })
const chosen = asked.with.map((text) => {
  const [name = '', version = ''] = text.split(/(?<=.)@/)
  if (name === '' || version === '') throw new Error(`--with ${text}: name@version`)
  return { name, version }
})

const peers = Object.keys(manifest.peerDependencies)
/** What cannot be imported without its peer, and how it says so. */
const needsPeer = `${manifest.name}/opentelemetry ERR_MODULE_NOT_FOUND @opentelemetry/api`

/** Users' compilers are not always ours; under a name of its own, so that it stands beside. */
const olderCompiler = 'typescript-before'

const scratch = mkdtempSync(join(tmpdir(), 'offhook-package-'))
const project = join(scratch, 'project')
const installed = join(project, 'node_modules', manifest.name)
let failures = 0

/** Says how one check went; `problems` empty means well. */
function report(/** @type {string} */ name, /** @type {string} */ problems, note = '') {
  const ok = problems === ''
  if (!ok) failures += 1
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name}${note === '' ? '' : ` (${note})`}`)
  if (!ok) console.log(problems.replace(/^/gm, '        '))
  return ok
}

/** A check that is a command: its output is shown when it fails. */
async function command(/** @type {string} */ name, /** @type {string} */ line, cwd = project) {
  const { ok, output } = await run(line, { cwd })
  return report(name, ok ? '' : output.trim() || 'it failed and said nothing')
}

function filesBelow(/** @type {string} */ folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}

function checkContents() {
  const allowed = /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/.+\.(js|js\.map|d\.ts))$/
  const files = filesBelow(installed)
  report('nothing but the build and its papers', files.filter((file) => !allowed.test(file)).join('\n'))
  report('README and LICENSE are in', ['README.md', 'LICENSE'].filter((file) => !files.includes(file)).join('\n'))

  const scripts = files
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFileSync(join(installed, file), 'utf8'))
  const idle = Object.keys(manifest.dependencies).filter(
    (name) => !scripts.some((text) => text.includes(`from '${name}'`) || text.includes(`from "${name}"`)),
  )
  report('every run-time dependency is imported', idle.join('\n'))
}

/** What was asked for is what the package finds, and it has no other copy. */
function checkChosen() {
  for (const { name, version } of chosen) {
    const present = filesBelow(join(project, 'node_modules'))
      .filter((file) => file.endsWith(join(name, 'package.json')))
      .map((file) => JSON.parse(readFileSync(join(project, 'node_modules', file), 'utf8')))
      .filter((found) => found.name === name)
    const others = present.filter((found) => found.version !== version && !found.version.startsWith(`${version}.`))
    const problem = present.length === 0 ? 'it is not there' : others.map((other) => other.version).join('\n')
    report(`${name} ${version} alone`, problem)
  }
}

/** What needs an optional peer says which one is missing; nothing else needs any. */
async function checkWithoutPeers() {
  writeFileSync(
    join(project, 'alone.mjs'),
    `const missing = []
for (const name of ${JSON.stringify(entrances)}) {
  await import(name).catch(({ code, message }) => {
    missing.push([name, code, ...${JSON.stringify(peers)}.filter((peer) => message.includes(peer))].join(' '))
  })
}
if (missing.join() !== '${needsPeer}') throw new Error('cannot be imported: ' + missing)\n`,
  )
  await command('optional peers are optional', 'node alone.mjs')
}

async function checkLoading() {
  writeFileSync(
    join(project, 'import.mjs'),
    `const empty = []
for (const name of ${JSON.stringify(entrances)}) if (Object.keys(await import(name)).length === 0) empty.push(name)
if (empty.length > 0) throw new Error('no names in ' + empty)\n`,
  )
  await command('import', 'node import.mjs')

  // Node 20.19, 22.12 and later give CommonJS the module itself. It must be the same one that import gives.
  writeFileSync(
    join(project, 'require.cjs'),
    `const check = async (name) => {
  if (require(name) !== (await import(name))) throw new Error(name + ' is not the module that import gives')
}
Promise.all(${JSON.stringify(entrances)}.map(check)).catch((error) => { console.error(error); process.exitCode = 1 })\n`,
  )
  if ('require_module' in process.features) await command('require', 'node require.cjs')
  else console.log(`skip    require (Node ${process.version} cannot require a module)`)
}

async function checkTypes() {
  const aliases = entrances.map((_, index) => `entrance${index}`)
  // An entrance whose types do not resolve is `any`, and `any` does not fit `never`.
  const proof = `type Real<T> = 0 extends 1 & T ? never : T
export const real: [${aliases.map((alias) => `Real<typeof ${alias}>`).join(', ')}] = [${aliases.join(', ')}]\n`
  const lines = (/** @type {(alias: string, name: string) => string} */ line) =>
    entrances.map((name, index) => line(`entrance${index}`, name)).join('\n')
  writeFileSync(join(project, 'use.mts'), `${lines((alias, name) => `import * as ${alias} from '${name}'`)}\n${proof}`)
  writeFileSync(join(project, 'use.cts'), `${lines((alias, name) => `import ${alias} = require('${name}')`)}\n${proof}`)

  // What users write: narrowing, options that are let in and that are not.
  copyFileSync(join(root, 'test/package/usage.ts'), join(project, 'usage.mts'))

  const ways = [
    { module: 'nodenext', moduleResolution: 'nodenext', files: ['use.mts', 'use.cts', 'usage.mts'] },
    { module: 'esnext', moduleResolution: 'bundler', files: ['use.mts', 'usage.mts'] },
  ]
  const compilers = [join(root, 'node_modules/typescript'), join(project, 'node_modules', olderCompiler)]
  for (const { files, ...resolution } of ways) {
    for (const lib of [['es2023'], ['es2023', 'dom', 'dom.iterable']]) {
      const compilerOptions = {
        ...resolution,
        lib,
        target: 'es2022',
        strict: true,
        skipLibCheck: false,
        noEmit: true,
        types: ['node'],
      }
      writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
      for (const compiler of compilers) {
        const { version } = JSON.parse(readFileSync(join(compiler, 'package.json'), 'utf8'))
        const name = `types, TypeScript ${version}, ${resolution.moduleResolution}, lib ${lib.join(' ')}`
        await command(name, `node "${join(compiler, 'bin/tsc')}" -p tsconfig.json`)
      }
    }
  }
}

async function check() {
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty-project', private: true }))
  if (!(await command('pack', `npm pack --pack-destination "${scratch}"`, root))) return
  const tarball = join(scratch, readdirSync(scratch).find((name) => name.endsWith('.tgz')) ?? 'missing.tgz')

  await command('publint', `npx publint run "${tarball}" --strict`, root)
  await command('are the types wrong', `npx attw "${tarball}" --profile esm-only --no-emoji`, root)

  const wanted = [{ name: '@types/node', version: manifest.devDependencies['@types/node'] }, ...chosen]
  const names = new Map(wanted.map(({ name, version }) => [name, `"${name}@${version}"`]))
  const install = `npm install --no-audit --no-fund --no-package-lock --prefer-offline "${tarball}" ${[...names.values()].join(' ')}`
  if (!(await command('install into an empty project', install))) return
  checkContents()
  checkChosen()
  await checkWithoutPeers()
  const ranges = peers.map((name) => `"${name}@${manifest.peerDependencies[name]}"`).join(' ')
  if (!(await command('install the optional peers', `npm install --no-audit --no-fund --prefer-offline ${ranges}`)))
    return
  await checkLoading()
  const older = `npm install --no-audit --no-fund --prefer-offline ${olderCompiler}@npm:typescript@~5.9`
  if (await command('install an older TypeScript', older)) await checkTypes()
  await command('the command starts', 'npx --no-install offhook --help')
}

try {
  await check()
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
process.exitCode = failures > 0 ? 1 : 0
