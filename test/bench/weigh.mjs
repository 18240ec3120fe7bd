// What comes with a package: its own files and those of everything that it depends on, as they lie here.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** @typedef {{ own: number, all: number, packages: number }} Weight bytes, unpacked */

/** @param {string} name @returns {Weight} */
export function weightOf(name) {
  const first = name === 'offhook' ? root : find(name, root)
  if (first === undefined) throw new Error(`${name} is not installed`)
  const own = name === 'offhook' ? sizeOf(join(root, 'dist')) : sizeOf(first)
  /** @type {Set<string>} */
  const seen = new Set([first])
  let all = own
  const left = dependenciesOf(first)
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    all += sizeOf(next)
    left.push(...dependenciesOf(next))
  }
  return { own, all, packages: seen.size }
}

/** @param {string} place @returns {string[]} */
function dependenciesOf(place) {
  const { dependencies = {} } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'))
  return Object.keys(dependencies)
    .map((name) => find(name, place))
    .filter((found) => found !== undefined)
}

/** Where Node would find it from there. @param {string} name @param {string} from @returns {string | undefined} */
function find(name, from) {
  const here = join(from, 'node_modules', name)
  if (existsSync(join(here, 'package.json'))) return here
  return dirname(from) === from ? undefined : find(name, dirname(from))
}

/** Its own files, without what is nested below. @param {string} place @returns {number} */
function sizeOf(place) {
  let bytes = 0
  for (const entry of readdirSync(place, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue
    const path = join(place, entry.name)
    if (entry.isDirectory()) bytes += sizeOf(path)
    else if (entry.isFile()) bytes += statSync(path).size
  }
  return bytes
}
