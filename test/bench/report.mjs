// What was measured, as text: lines for the terminal, and docs/bench.md.
import { peers } from './contestants.mjs'
import { median, ratio } from './measure.mjs'

/**
 * @typedef {{ head: readonly string[], rows: readonly (readonly string[])[] }} Table
 * @typedef {{ what: string, allowed: number, found: number, unit: string }} Aim
 */

/**
 * @param {Map<import('./measure.mjs').Load, Map<string, number[]>>} figures
 * @returns {{ table: Table, aims: Aim[] }}
 */
export function cpuReport(figures) {
  const loads = [...figures.keys()]
  const names = [...(figures.get(/** @type {any} */ (loads[0]))?.keys() ?? [])]
  const of = (/** @type {import('./measure.mjs').Load} */ load, /** @type {string} */ name) =>
    figures.get(load)?.get(name) ?? []
  const rows = names.map((name) => {
    const peer = peerOf(name)
    return [
      name,
      ...loads.map((load) => {
        const us = median(of(load, name)).toFixed(1)
        return peer === undefined ? us : `${us} (${ratio(of(load, name), of(load, peer)).toFixed(2)})`
      }),
    ]
  })
  const aims = Object.entries(peers)
    .filter(([name, peer]) => names.includes(name) && names.includes(peer))
    .flatMap(([name, peer]) =>
      loads.map((load) => ({
        what: `CPU of ${name} beside ${peer}, ${title(load)}`,
        allowed: 1.1,
        found: ratio(of(load, name), of(load, peer)),
        unit: '×',
      })),
    )
  return { table: { head: ['µs of CPU per call', ...loads.map(title)], rows }, aims }
}

/** @param {Map<string, number[]>} figures @returns {{ table: Table, aims: Aim[] }} */
export function memoryReport(figures) {
  const of = (/** @type {string} */ name) => median(figures.get(name) ?? [])
  const rows = [...figures.keys()].map((name) => {
    const peer = peerOf(name)
    return [name, kib(of(name)), peer === undefined ? '' : `${signed(of(name) - of(peer))}`]
  })
  const aims = Object.entries(peers).map(([name, peer]) => ({
    what: `memory of ${name} above ${peer}, per call in flight`,
    allowed: 1,
    found: (of(name) - of(peer)) / 1024,
    unit: 'KiB',
  }))
  return { table: { head: ['KiB per call in flight', 'heap', 'more than its peer'], rows }, aims }
}

/** @param {Map<string, number[]>} figures @returns {{ table: Table, aims: Aim[] }} */
export function importReport(figures) {
  const undici = figures.get('undici') ?? []
  const rows = [...figures].map(([name, ms]) => [name, median(ms).toFixed(1), ratio(ms, undici).toFixed(2)])
  const found = ratio(figures.get('offhook') ?? [], undici)
  return {
    table: { head: ['ms of CPU to import', 'ms', '× undici'], rows },
    aims: [{ what: "import of offhook beside undici's own, which is part of it", allowed: 1.3, found, unit: '×' }],
  }
}

/** @param {Aim} aim */
export function verdict({ what, allowed, found, unit }) {
  const reached = found <= allowed
  return {
    reached,
    text: `${reached ? 'reached    ' : 'not reached'}  ${found.toFixed(2)} ${unit} of ${allowed.toFixed(2)} allowed: ${what}`,
  }
}

/** @param {Table} table @returns {string[]} */
export function drawn({ head, rows }) {
  const lines = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  const draw = (/** @type {readonly string[]} */ line) =>
    line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('   ')
  return [draw(head), '─'.repeat(widths.reduce((sum, width) => sum + width + 3, -3)), ...rows.map(draw)]
}

/** @param {Table} table */
export function markdown({ head, rows }) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

/** @param {import('./measure.mjs').Load} load */
function title({ method, concurrency }) {
  return `${method.toUpperCase()}, ${concurrency} at once`
}

/** @param {string} name @returns {string | undefined} */
function peerOf(name) {
  return /** @type {Record<string, string>} */ (peers)[name]
}

function kib(/** @type {number} */ bytes) {
  return (bytes / 1024).toFixed(2)
}

function signed(/** @type {number} */ bytes) {
  return `${bytes < 0 ? '−' : '+'}${kib(Math.abs(bytes))}`
}
