// Plants the faults one by one into a copy of what was built, and lets the judge look for each.

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { mutants } from './mutants.js'
import { loadParts } from './parts.js'
import { simulate } from './simulation.js'

/**
 * @param {URL} root what was built
 * @param {{ seed: number, histories: number }} size the most histories for one fault
 * @returns {Promise<boolean>} whether every one was found
 */
export async function runMutants(root, { seed, histories }) {
  // Inside the project, so that the copies find its dependencies.
  const copies = new URL('../node_modules/.cache/offhook-mutants/', root)
  let missed = 0
  try {
    for (const [index, { name, file, from, to }] of mutants.entries()) {
      const copy = new URL(`${index}/`, copies)
      mkdirSync(copy, { recursive: true })
      cpSync(root, copy, { recursive: true, filter: (path) => !/\.(?:map|ts|tsbuildinfo)$/.test(path) })
      const mutated = fileURLToPath(new URL(file, copy))
      const text = readFileSync(mutated, 'utf8')
      if (!text.includes(from)) throw new Error(`${file} has no such place any more: ${from}`)
      writeFileSync(mutated, text.replace(from, to))
      const { done, found } = await simulate(await loadParts(copy), { seed, histories })
      if (found.length === 0) missed++
      console.log(
        `${found.length === 0 ? 'MISSED' : 'found '}  ${name}: ${found.length === 0 ? '' : `history ${done}, ${found[0]?.what}`}`,
      )
    }
  } finally {
    rmSync(copies, { recursive: true, force: true })
  }
  console.log(`${mutants.length - missed} of ${mutants.length} planted faults were found`)
  return missed === 0
}
