/**
 * What the error codes of this world mean, put together from the tables beside this file: one row a code, or a family
 * of codes whose spelling differs between versions. Facts about the codes alone; what else was observed is weighed
 * where failures are classified.
 */

import { type CodeFact, type CodeRow, type Step, stepOf } from './code-row.js'
import { httpCodes } from './http-codes.js'
import { nodeCodes } from './node-codes.js'
import { resolverCodes } from './resolver-codes.js'
import { systemCodes } from './system-codes.js'
import { tlsCodes } from './tls-codes.js'
import { undiciCodes } from './undici-codes.js'

/** All rows, in the order in which they are asked. */
export const codeRows: readonly CodeRow[] = [
  ...resolverCodes,
  ...systemCodes,
  ...tlsCodes,
  ...httpCodes,
  ...undiciCodes,
  ...nodeCodes,
]

const rowsByCode = new Map<string, CodeRow[]>()
const families: { readonly pattern: RegExp; readonly row: CodeRow }[] = []
for (const row of codeRows) {
  for (const code of row.codes) {
    if (code.includes('*')) families.push({ pattern: familyPattern(code), row })
    else rowsByCode.set(code, [...(rowsByCode.get(code) ?? []), row])
  }
}

/**
 * What a code says.
 *
 * @param code an error's `code`
 * @param syscall the error's `syscall`, if it has one
 * @returns `undefined` for a code that is not known, or not known of that system call
 */
export function factOf(code: string, syscall?: string): CodeFact | undefined {
  const step = syscall === undefined ? undefined : stepOf(syscall)
  const rows = rowsByCode.get(code) ?? families.filter(({ pattern }) => pattern.test(code)).map(({ row }) => row)
  return (rows.find((row) => step !== undefined && row.at?.includes(step)) ?? rows.find((row) => holds(row, step)))
    ?.says
}

function holds(row: CodeRow, step: Step | undefined): boolean {
  return row.at === undefined && step !== 'elsewhere'
}

/** `ERR_SSL_*ALERT_*` as a pattern. */
function familyPattern(family: string): RegExp {
  const parts = family.split('*').map((part) => part.replace(/[^\w]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}
