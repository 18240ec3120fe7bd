/** The figures for people: on the terminal, as a page of the documentation, and drawn. */

import { lineChart } from '../plots/line-chart.js'

/**
 * @typedef {import('./judge.js').Sample} Sample
 * @typedef {import('./judge.js').Verdict} Verdict
 * @typedef {{ minutes: number, perSecond: number, failed: number, samples: readonly Sample[], verdicts: readonly Verdict[], node: string, cpus: number }} Facts
 */

const mib = 2 ** 20

/** @param {readonly Verdict[]} verdicts */
function rows(verdicts) {
  const value = (/** @type {number} */ number, /** @type {string} */ unit) =>
    unit === 'MiB' ? `${(number / mib).toFixed(2)} MiB` : `${+number.toFixed(2)}`
  const perThousand = (/** @type {number} */ number, /** @type {string} */ unit) =>
    unit === 'MiB' ? `${Math.round(number)} bytes` : `${+number.toFixed(3)}`
  return verdicts.map(({ says, from, to, grew, allowed, perThousand: slope, unit, ok }) => [
    says,
    value(from, unit),
    value(to, unit),
    perThousand(slope, unit),
    value(grew, unit),
    value(allowed, unit),
    ok ? 'flat' : 'GROWS',
  ])
}

const head = ['', 'at half-time', 'at the end', 'slope per 1,000 calls', 'grew', 'allowed', '']

/** @param {readonly Verdict[]} verdicts */
export function table(verdicts) {
  const all = [head, ...rows(verdicts)]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** @param {Facts} facts */
export function page({ minutes, perSecond, failed, samples, verdicts, node, cpus }) {
  const calls = samples.at(-1)?.calls ?? 0
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`
  return `# Soak

Written by \`npm run soak -- --minutes ${minutes} --write\`: mixed load on one process, for as long as you like (an hour,
unless told otherwise; a minute in CI). GETs and POSTs with bodies of all kinds, over plain TCP, TLS and HTTP/2; every misdeed of the
rude servers that ends by itself; retries, hedges, breaker, throttle and concurrency limit; aborts, and one signal that all
calls share; clients that are made and closed; ever new origins; \`dial\`, \`redial\`, \`datagram\`, and a server whose clients are
watched; errors whose diagnosis is read, and errors whose is not.

Every now and then the load comes to rest, garbage is collected, and what is still held is counted. The slope is the median
of the slopes between all pairs of samples of the second half (Theil and Sen). The test plants four leaks (a listener a call,
an error kept a call, a timer a call, a socket every hundred calls) and sees each of them found.

${calls.toLocaleString('en')} calls in ${minutes} minutes (at most ${perSecond} a second), of which ${failed.toLocaleString('en')} failed, as they were meant to; ${samples.length} samples; Node ${node}, ${cpus} cores.

${[line(head), line(head.map(() => '---')), ...rows(verdicts).map(line)].join('\n')}

Resident memory went from ${toMib(samples[Math.floor(samples.length / 2)]?.rss)} to ${toMib(samples.at(-1)?.rss)} MiB in the second half; it is the allocator's, and not judged.

![Heap after a collection, external and resident memory](plots/soak-memory.svg)

![Handles, timers, listeners, file descriptors](plots/soak-counts.svg)
`
}

/** @param {Facts} facts */
export function charts({ minutes, samples }) {
  const at = (/** @type {number} */ index) => ((index + 1) / samples.length) * minutes
  const series = (/** @type {string} */ name, /** @type {(sample: Sample) => number} */ value) => ({
    name,
    points: samples.map((sample, index) => /** @type {[number, number]} */ ([at(index), value(sample)])),
  })
  const x = { label: 'minutes', min: 0, max: minutes, ticks: ticks(minutes) }
  const memory = [
    series('heap', ({ heap }) => heap / mib),
    series('external', ({ external }) => external / mib),
    series('resident', ({ rss }) => rss / mib),
  ]
  const counts = [
    series('handles', ({ handles }) => handles),
    series('timers', ({ timers }) => timers),
    series('listeners', ({ listeners }) => listeners),
    series('file descriptors', ({ files }) => files),
    series('rows by origin', ({ tables }) => tables),
  ]
  return {
    'soak-memory.svg': lineChart({ title: 'Memory while the load rests', x, y: upTo('MiB', memory), series: memory }),
    'soak-counts.svg': lineChart({
      title: 'What is held while the load rests',
      x,
      y: upTo('count', counts),
      series: counts,
    }),
  }
}

/** @param {string} label @param {{ points: [number, number][] }[]} series */
function upTo(label, series) {
  const most = Math.max(1, ...series.flatMap(({ points }) => points.map(([, value]) => value)))
  const max = ticks(most * 1.1).at(-1)?.[0] ?? most
  return { label, min: 0, max: Math.max(max, most), ticks: ticks(most * 1.1) }
}

/** Round numbers up to at most so much, about five of them. */
function ticks(/** @type {number} */ most) {
  const size = 10 ** Math.floor(Math.log10(most / 4))
  const step = [1, 2, 5, 10].map((times) => times * size).find((one) => most / one <= 6) ?? size * 10
  const values = Array.from(
    { length: Math.floor(most / step + 1e-9) + 1 },
    (_, index) => +(index * step).toPrecision(6),
  )
  return values.map((value) => /** @type {[number, string]} */ ([value, value.toLocaleString('en')]))
}

function toMib(/** @type {number | undefined} */ bytes) {
  return Math.round((bytes ?? 0) / mib)
}
