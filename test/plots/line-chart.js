/**
 * Line charts as SVG, by hand: two axes, lines, and each line's name at its end.
 *
 * @typedef {{ label: string, ticks: [number, string][], min: number, max: number, log?: boolean }} Axis
 * @typedef {{ name: string, points: [number, number][] }} Series
 */

const size = { width: 820, height: 400 }
const frame = { left: 64, right: 610, top: 48, bottom: 344 }
/** Okabe and Ito's colours, which people with any kind of colour blindness can tell apart. The first is ours. */
const colours = ['#0072b2', '#d55e00', '#e69f00', '#009e73', '#cc79a7', '#555555']

/**
 * @param {{ title: string, x: Axis, y: Axis, series: Series[] }} chart
 * @returns {string} the SVG
 */
export function lineChart({ title, x, y, series }) {
  const across = scale(x, frame.left, frame.right)
  const up = scale(y, frame.bottom, frame.top)
  const parts = [
    `<text x="${frame.left}" y="26" font-size="16" font-weight="600">${inXml(title)}</text>`,
    ...x.ticks.map(([value, label]) => {
      const at = across(value)
      return `<path d="M${at} ${frame.bottom}v5" stroke="#888"/><text x="${at}" y="${frame.bottom + 20}" text-anchor="middle">${inXml(label)}</text>`
    }),
    ...y.ticks.map(([value, label]) => {
      const at = up(value)
      return `<path d="M${frame.left} ${at}H${frame.right}" stroke="#e4e4e4"/><text x="${frame.left - 8}" y="${at + 4}" text-anchor="end">${inXml(label)}</text>`
    }),
    `<path d="M${frame.left} ${frame.top}V${frame.bottom}H${frame.right}" fill="none" stroke="#888"/>`,
    `<text x="${(frame.left + frame.right) / 2}" y="${frame.bottom + 42}" text-anchor="middle">${inXml(x.label)}</text>`,
    `<text transform="translate(16 ${(frame.top + frame.bottom) / 2}) rotate(-90)" text-anchor="middle">${inXml(y.label)}</text>`,
    ...lines(series, x, y, across, up),
  ]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="system-ui, sans-serif" font-size="12" fill="#222" role="img" aria-label="${inXml(title)}">`,
    `<rect width="${size.width}" height="${size.height}" fill="#fff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

/**
 * @param {Series[]} series
 * @param {Axis} x
 * @param {Axis} y
 * @param {(value: number) => number} across
 * @param {(value: number) => number} up
 */
function lines(series, x, y, across, up) {
  const labels = spread(series.map(({ points }) => up(clamp(points.at(-1)?.[1] ?? y.min, y))))
  const drawn = series.map(({ name, points }, index) => {
    const colour = colours[index % colours.length]
    const way = points
      .filter(([at]) => at >= x.min && at <= x.max)
      .map(([at, value]) => `${across(at)} ${up(clamp(value, y))}`)
      .join('L')
    const label = `<text x="${frame.right + 10}" y="${(labels[index] ?? 0) + 4}" fill="${colour}" font-weight="600">${inXml(name)}</text>`
    return `<path d="M${way}" fill="none" stroke="${colour}" stroke-width="${index === 0 ? 3 : 2}" stroke-linejoin="round"/>${label}`
  })
  // Ours on top.
  return drawn.reverse()
}

/**
 * Moves labels apart until each has its line, and back up into the frame.
 *
 * @param {number[]} wanted
 */
function spread(wanted) {
  const order = wanted.map((at, index) => ({ at, index })).sort((left, right) => left.at - right.at)
  let free = frame.top
  for (const label of order) {
    label.at = Math.max(label.at, free)
    free = label.at + 17
  }
  const over = Math.max(0, free - 17 - frame.bottom)
  let limit = frame.bottom
  for (const label of order.toReversed()) {
    if (over > 0) label.at = Math.min(label.at, limit)
    limit = label.at - 17
  }
  return order.sort((left, right) => left.index - right.index).map(({ at }) => at)
}

/**
 * @param {Axis} axis
 * @param {number} from
 * @param {number} to
 */
function scale({ min, max, log }, from, to) {
  const of = log ? Math.log : (/** @type {number} */ value) => value
  return (/** @type {number} */ value) =>
    Math.round((from + ((of(value) - of(min)) / (of(max) - of(min))) * (to - from)) * 10) / 10
}

/**
 * @param {number} value
 * @param {Axis} axis
 */
function clamp(value, { min, max }) {
  return Math.min(max, Math.max(min, value))
}

/** @param {string} text */
function inXml(text) {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
