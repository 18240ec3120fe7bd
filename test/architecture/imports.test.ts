// The import table of .dependency-cruiser.cjs holds for src, and each of its rules can fail: little trees that break one
// rule each are laid in a temporary folder and put through the same rules.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options'
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config'
import { afterEach, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const options = await extractOptions(join(root, '.dependency-cruiser.cjs'))
const tsConfig = extractTsConfig(join(root, 'tsconfig.json'))
const ruleNames = (options.ruleSet?.forbidden ?? []).map((rule) => rule.name)

type Tree = Record<string, string>

const trees: string[] = []

afterEach(() => {
  for (const folder of trees.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function lay(tree: Tree): string {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-imports-'))
  trees.push(folder)
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const manifest = { name: 'tree', type: 'module', dependencies: { undici: '*', 'p-retry': '*' } }
  for (const [path, text] of Object.entries({ ...tree, 'package.json': JSON.stringify(manifest) })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

// Symlinks are left unresolved, so that packages of a laid tree stand at node_modules/ as they do for src.
async function judge(folder: string): Promise<ICruiseResult> {
  const { output } = await cruise(['src'], { ...options, baseDir: folder }, { symlinks: false }, { tsConfig })
  if (typeof output === 'string') throw new Error('expected the result as an object')
  return output
}

const arrows = (result: ICruiseResult) => result.summary.violations.map((v) => `${v.rule.name}: ${v.from} -> ${v.to}`)

const exporting = (...names: string[]) => names.map((name) => `export const ${name} = 1\n`).join('')

/** A sound tree, from the entrance down to the words; each misdeed below is laid over it. */
const sound: Tree = {
  'src/index.ts': `export { client } from './client.js'\nexport type { Kind } from './failure/kinds.js'\n`,
  'src/client.ts': `import { fetch } from './adapters/fetch.js'\nexport const client = fetch\n`,
  'src/clock.ts': exporting('clock'),
  'src/adapters/fetch.ts': `import 'undici'\nimport { call } from '../call/call.js'\nexport const fetch = call\n`,
  'src/call/call.ts':
    `import 'p-retry'\nimport { attempt } from '../attempt/attempt.js'\nimport { clock } from '../clock.js'\n` +
    `import { retry } from '../policy/retry.js'\nexport const call = [attempt, clock, retry]\n`,
  'src/attempt/attempt.ts':
    `import { classify } from '../diagnosis/classify.js'\nimport { watch } from '../wire/undici-watch.js'\n` +
    'export const attempt = [classify, watch]\n',
  'src/policy/retry.ts': `import type { Kind } from '../failure/kinds.js'\nexport const retry = (kind: Kind) => kind\n`,
  'src/wire/undici-watch.ts': `import 'node:net'\nimport 'undici'\nimport { clock } from '../clock.js'\nexport const watch = clock\n`,
  'src/diagnosis/classify.ts': `import { codes } from '../knowledge/error-codes.js'\nexport const classify = codes\n`,
  'src/knowledge/error-codes.ts': `import type { Kind } from '../failure/kinds.js'\nexport const codes: Kind[] = []\n`,
  'src/failure/kinds.ts': `export type Kind = 'reset'\nexport const kinds: Kind[] = []\n`,
  'src/testing/rude-server.ts': `import 'node:net'\n${exporting('rude')}`,
}

interface Misdeed {
  rule: string
  what: string
  tree: Tree
}

/** A file of one room that imports one thing and is itself reached from the entrance of the package. */
function importing(rule: string, from: string, specifier: string, more: Tree = {}): Misdeed {
  const file = `src/${from}.ts`
  const tree = {
    [file]: `import '${specifier}'\n${exporting('it')}`,
    'src/index.ts': `${sound['src/index.ts']}export { it } from './${from}.js'\n`,
    ...more,
  }
  return { rule, what: `${from} imports ${specifier}`, tree: { ...sound, ...tree } }
}

const misdeeds: Misdeed[] = [
  importing('no-circle', 'policy/a', './b.js', { 'src/policy/b.ts': `import './a.js'\n${exporting('b')}` }),
  importing('no-circle', 'wire/a', './b.js', {
    'src/wire/a.ts': `import type { B } from './b.js'\nexport type A = B | 1\nexport const it = 1\n`,
    'src/wire/b.ts': `import type { A } from './a.js'\nexport type B = A | 2\n`,
  }),
  importing('room-failure', 'failure/a', '../knowledge/error-codes.js'),
  importing('room-failure', 'failure/a', '../clock.js'),
  importing('room-clock', 'clock', './failure/kinds.js'),
  importing('room-knowledge', 'knowledge/a', '../diagnosis/classify.js'),
  importing('room-policy', 'policy/a', '../wire/undici-watch.js'),
  importing('room-policy', 'policy/a', '../clock.js'),
  importing('room-diagnosis', 'diagnosis/a', '../wire/undici-watch.js'),
  importing('room-telemetry', 'telemetry/a', '../call/call.js'),
  importing('room-wire', 'wire/a', '../diagnosis/classify.js'),
  importing('room-attempt', 'attempt/a', '../policy/retry.js'),
  importing('room-options', 'options', './diagnosis/classify.js'),
  importing('room-origin', 'origin/a', '../call/call.js'),
  importing('room-call', 'call/a', '../adapters/fetch.js', {
    'src/adapters/fetch.ts': exporting('fetch'),
  }),
  importing('room-adapters', 'adapters/a', '../diagnosis/classify.js'),
  importing('room-sockets', 'sockets/a', '../adapters/fetch.js'),
  importing('room-server', 'server/a', '../call/call.js'),
  importing('room-client', 'client', './attempt/attempt.js', {
    'src/client.ts': `import './attempt/attempt.js'\n${exporting('client', 'it')}`,
  }),
  importing('room-testing', 'testing/a', '../failure/kinds.js'),
  importing('room-doctor', 'doctor/a', '../wire/undici-watch.js'),
  {
    rule: 'room-index',
    what: 'index reaches past the rooms it shows',
    tree: { ...sound, 'src/index.ts': `${sound['src/index.ts']}export { watch } from './wire/undici-watch.js'\n` },
  },
  importing('known-rooms', 'cellar/a', '../failure/kinds.js'),
  ...['failure', 'knowledge', 'policy', 'diagnosis'].map((room) => importing('pure-rooms', `${room}/a`, 'node:util')),
  importing('pure-rooms', 'policy/a', 'undici'),
  importing('testing-stands-alone', 'testing/a', 'undici'),
  importing('testing-stands-alone', 'testing/a', '../failure/kinds.js'),
  importing('package-undici', 'wire/socket-watch', 'undici'),
  importing('package-undici', 'call/a', 'undici'),
  importing('package-p-retry', 'attempt/a', 'p-retry'),
  importing('package-@opentelemetry/api', 'telemetry/channels', '@opentelemetry/api'),
  importing('known-packages', 'wire/a', 'vitest'),
  importing('known-packages', 'wire/a', 'no-such-package-anywhere'),
  importing('nothing-outside-src', 'wire/a', '../../test/rude.js', { 'test/rude.ts': exporting('rude') }),
  ...['util', 'common', 'helpers', 'lib', 'types'].flatMap((name) => [
    importing('named-places', 'wire/a', `./${name}.js`, { [`src/wire/${name}.ts`]: exporting('b') }),
    importing('named-places', 'wire/a', `./${name}/b.js`, { [`src/wire/${name}/b.ts`]: exporting('b') }),
  ]),
  { rule: 'no-dead-file', what: 'a file stands alone', tree: { ...sound, 'src/policy/forgotten.ts': exporting('a') } },
  {
    rule: 'no-dead-file',
    what: 'a file imports but is not reached',
    tree: { ...sound, 'src/policy/forgotten.ts': `import './retry.js'\n${exporting('a')}` },
  },
]

test('src keeps the import table', async () => {
  const result = await judge(root)
  expect(result.modules.map((module) => module.source)).toContain('src/index.ts')
  expect(arrows(result)).toEqual([])
})

test('a sound tree passes', async () => {
  expect(arrows(await judge(lay(sound)))).toEqual([])
})

test.each(misdeeds)('$rule: $what', async ({ rule, tree }) => {
  const broken = (await judge(lay(tree))).summary.violations.map((violation) => violation.rule.name)
  expect(broken).toContain(rule)
})

test('every rule has a tree that breaks it', () => {
  expect(new Set(misdeeds.map((misdeed) => misdeed.rule))).toEqual(new Set(ruleNames))
})

test('no arrow points up or sideways between the floors of the house', async () => {
  const floors = [
    ['adapters', 'sockets'],
    ['call'],
    ['policy', 'attempt'],
    ['wire', 'diagnosis'],
    ['knowledge'],
    ['failure'],
  ]
  const rooms = floors.flatMap((names, floor) => names.map((name) => ({ name, floor })))
  const wrong = rooms.flatMap((from) =>
    rooms.filter((to) => to !== from && to.floor <= from.floor).map((to) => ({ from, to })),
  )
  const tree: Tree = Object.fromEntries(rooms.map(({ name }) => [`src/${name}/place.ts`, exporting('place')]))
  for (const { from, to } of wrong) tree[`src/${from.name}/to-${to.name}.ts`] = `import '../${to.name}/place.js'\n`

  const { violations } = (await judge(lay(tree))).summary
  const caught = violations
    .filter((v) => v.rule.name === `room-${v.from.split('/')[1]}`)
    .map((v) => `${v.from} -> ${v.to}`)
  const drawn = wrong.map(({ from, to }) => `src/${from.name}/to-${to.name}.ts -> src/${to.name}/place.ts`)
  expect(caught.toSorted()).toEqual(drawn.toSorted())
})
