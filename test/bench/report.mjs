// What was measured, as text: lines for the terminal, and docs/bench.md.

import { lineChart } from '../plots/line-chart.js'
import { figuresOf } from './brown-out.mjs'
import { peers } from './contestants.mjs'
import { median, ratio } from './measure.mjs'

/**
 * @typedef {{ head: readonly string[], rows: readonly (readonly string[])[] }} Table
 * @typedef {{ what: string, allowed: number, found: number, unit: string }} Aim
 */

/**
 * @param {Map<import('./measure.mjs').Load, Map<string, number[]>>} figures
 * @param {{ head: string, what: string, allowed: (name: string) => number | undefined }} of
 * @returns {{ table: Table, aims: Aim[] }}
 */
export function cpuReport(figures, { head, what, allowed }) {
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
    .filter(([name, peer]) => names.includes(name) && names.includes(peer) && allowed(name) !== undefined)
    .flatMap(([name, peer]) =>
      loads.map((load) => ({
        what: `${what} ${name} beside ${peer}, ${title(load)}`,
        allowed: allowed(name) ?? Number.NaN,
        found: ratio(of(load, name), of(load, peer)),
        unit: '×',
      })),
    )
  return { table: { head: [head, ...loads.map(title)], rows }, aims }
}

/** @param {Map<string, number[]>} figures @returns {{ table: Table, aims: Aim[] }} */
export function memoryReport(figures) {
  const of = (/** @type {string} */ name) => median(figures.get(name) ?? [])
  const rows = [...figures.keys()].map((name) => {
    const peer = peerOf(name)
    return [name, kib(of(name)), peer === undefined ? '' : `${signed(of(name) - of(peer))}`]
  })
  const measured = Object.entries(peers).filter(([name]) => figures.has(name))
  const aims = measured.map(([name, peer]) => ({
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

/** @param {{ first: number[], later: number[] }} found @returns {{ table: Table, aims: Aim[] }} */
export function diagnosisReport({ first, later }) {
  return {
    table: {
      head: ['ms of CPU to read a diagnosis', 'ms'],
      rows: [
        ['the first of a process', median(first).toFixed(2)],
        ['after a hundred', median(later).toFixed(3)],
      ],
    },
    aims: [{ what: 'CPU of reading a diagnosis, warm', allowed: 1, found: median(later), unit: 'ms' }],
  }
}

/** @param {Map<string, import('./weigh.mjs').Weight>} weights @returns {{ table: Table, aims: Aim[] }} */
export function sizeReport(weights) {
  const rows = [...weights].map(([name, { own, all, packages }]) => [
    name,
    kib(own).replace(/\..*/, ''),
    kib(all).replace(/\..*/, ''),
    String(packages),
  ])
  return { table: { head: ['KiB on disk', 'its own', 'with what it depends on', 'packages'], rows }, aims: [] }
}

/**
 * @param {Map<string, import('./brown-out.mjs').Row>} rows
 * @param {import('./brown-out.mjs').Course} course
 * @returns {{ table: Table, aims: Aim[], plots: Record<string, string> }}
 */
export function brownReport(rows, course) {
  const figures = [...rows].map(([name, row]) => ({ name, ...figuresOf(row, course) }))
  const table = {
    head: ['a brown-out', 'attempts per call', 'calls that succeed', 'seconds until 95 % do again'],
    rows: figures.map(({ name, amplification, goodput, recovery }) => [
      name,
      amplification.toFixed(2),
      `${(100 * goodput).toFixed(0)} %`,
      recovery === undefined ? `more than ${course.after}` : String(recovery),
    ]),
  }
  const chart = (/** @type {'goodput' | 'attempts'} */ of, /** @type {string} */ title, /** @type {number} */ most) => {
    const last = course.brown + course.after
    return lineChart({
      title,
      x: { label: 'seconds since the brown-out began', min: -course.before, max: last, ticks: ticks(0, last, 5) },
      y: { label: 'per call', min: 0, max: most, ticks: ticks(0, most, 0.5) },
      series: [...rows]
        .filter(([name]) => plotted.includes(name))
        .map(([name, row]) => ({
          name,
          points: row[of].map((value, second) => /** @type {[number, number]} */ ([second - course.before, value])),
        })),
    })
  }
  const plots = {
    'brown-out-goodput.svg': chart('goodput', `Calls that succeed, ${course.brown} s of brown-out`, 1.5),
    'brown-out-attempts.svg': chart('attempts', 'Attempts that the server gets in the same run', 3.5),
  }
  return { table, aims: [], plots }
}

/** As many as there are colours. */
const plotted = ['offhook.fetch', 'undici.request', 'undici RetryAgent', 'cockatiel + undici', 'ky', 'got']

/** @param {number} from @param {number} to @param {number} step @returns {[number, string][]} */
function ticks(from, to, step) {
  const count = Math.floor((to - from) / step) + 1
  return Array.from({ length: count }, (_, index) => [from + index * step, String(from + index * step)])
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
  return `${typeof method === 'string' && method.length < 5 ? method.toUpperCase() : method}, ${concurrency} at once`
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
