/**
 * Whether what was counted is flat. The load comes to rest for every sample, so that what is still held then is held by
 * nobody's right; the slope is that of Theil and Sen, which a third of outliers does not move, over the second half,
 * when caches are full and code is compiled.
 *
 * @typedef {{ calls: number, heap: number, external: number, rss: number, handles: number, timers: number, listeners: number, files: number, tables: number, inFlight: number, resources: Record<string, number> }} Sample
 * @typedef {{ name: keyof Omit<Sample, 'calls' | 'resources'>, says: string, perCall: number, floor: number, unit?: 'MiB' }} Limit
 * @typedef {{ name: string, says: string, perThousand: number, grew: number, allowed: number, from: number, to: number, unit: 'MiB' | '', ok: boolean }} Verdict
 */

const mib = 2 ** 20

/**
 * What may grow in the second half: a floor, for noise, and so much per call. One leak in a hundred calls is beyond
 * each of them, and so is one error kept per call.
 *
 * @type {readonly Limit[]}
 */
export const limits = [
  { name: 'heap', says: 'heap after a collection', perCall: 16, floor: 2.5 * mib, unit: 'MiB' },
  { name: 'external', says: 'external memory and array buffers', perCall: 8, floor: mib, unit: 'MiB' },
  { name: 'handles', says: 'handles, of all types', perCall: 0.002, floor: 3 },
  { name: 'timers', says: 'timers that have not run', perCall: 0.002, floor: 3 },
  { name: 'listeners', says: 'listeners on the signal that all calls share, and on process', perCall: 0.002, floor: 2 },
  { name: 'files', says: 'open file descriptors', perCall: 0.002, floor: 3 },
  { name: 'tables', says: "rows of offhook's tables by origin", perCall: 0.002, floor: 2 },
  { name: 'inFlight', says: 'calls that have not settled', perCall: 0.002, floor: 1 },
]

/**
 * @param {readonly Sample[]} samples
 * @returns {Verdict[]}
 */
export function judge(samples) {
  const half = samples.slice(Math.floor(samples.length / 2))
  const [first] = half
  const last = half.at(-1)
  if (first === undefined || last === undefined || half.length < 6)
    throw new Error(`${samples.length} samples are too few`)
  const calls = last.calls - first.calls
  return limits.map(({ name, says, perCall, floor, unit }) => {
    const slope = theilSen(half.map((sample) => [sample.calls, sample[name]]))
    const grew = slope * calls
    const allowed = floor + perCall * calls
    return {
      name,
      says,
      perThousand: slope * 1000,
      grew,
      allowed,
      from: first[name],
      to: last[name],
      unit: unit ?? '',
      ok: grew <= allowed,
    }
  })
}

/**
 * The median of the slopes between all pairs.
 *
 * @param {readonly (readonly [number, number])[]} points
 */
export function theilSen(points) {
  const slopes = points
    .flatMap(([x, y], index) => points.slice(index + 1).map(([later, value]) => (value - y) / (later - x)))
    .filter(Number.isFinite)
    .sort((left, right) => left - right)
  return slopes[Math.floor(slopes.length / 2)] ?? 0
}
