// Makes the package out of the compiled modules: one file for each thing that can be imported, and the pieces that they
// share. Two hundred small modules take longer to load than everything in them takes to run.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const from = join(root, 'build')
const to = join(root, 'dist')

/** The built file of each entrance, without its ending, as it stands below `dist`. */
const entrances = [
  ...Object.values(manifest.exports).map((target) => target.default),
  ...Object.values(manifest.bin).map((target) => `./${target}`),
]
  .filter((target) => target !== undefined)
  .map((target) => target.replace('./dist/', '').replace(/\.js$/, ''))

const outside = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })

const bundle = await rolldown({
  input: Object.fromEntries(entrances.map((name) => [name, join(from, `${name}.js`)])),
  external: (id) => id.startsWith('node:') || outside.includes(id),
  platform: 'node',
})
const { output } = await bundle.write({
  dir: to,
  format: 'esm',
  sourcemap: true,
  comments: false,
  entryFileNames: '[name].js',
  chunkFileNames: 'shared/[name]-[hash].js',
})
await bundle.close()
cpSync(from, to, { recursive: true, filter: (path) => !/\.(js|js\.map|tsbuildinfo)$/.test(path) })

// What an earlier build left goes last: who runs from it meanwhile must not find half a package.
const made = new Set(output.map(({ fileName }) => join(to, fileName)))
for (const entry of readdirSync(to, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  const stale = entry.name.endsWith('.d.ts') ? !existsSync(path.replace(to, from)) : !made.has(path)
  if (entry.isFile() && stale) rmSync(path)
}
