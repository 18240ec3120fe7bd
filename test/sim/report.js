/** The figures for people: on the terminal, and as a page of the documentation. */

/**
 * @typedef {import('./figures.js').Table} Table
 * @typedef {import('./figures.js').Check} Check
 *
 * @param {Record<'steady' | 'stall' | 'stragglers', { table: Table, checks: Check[] }> & { outage: { checks: Check[] } }} results
 * @returns {{ page: string, lines: string[] }}
 */
export function report({ steady, outage, stall, stragglers }) {
  const checks = [...steady.checks, ...outage.checks, ...stall.checks, ...stragglers.checks]
  const required = checks.filter(({ what }) => !what.startsWith('steady state') || what.includes('hybrid10'))
  const lines = [
    'Steady state: attempts per call / per cent of success (expected)',
    ...plain(steady.table),
    '',
    'Seconds from the end of a 10 s stall until the goodput is back (expected)',
    ...plain(stall.table),
    '',
    'Hedging, 1 % of the requests 20 to 100 times as slow (expected)',
    ...plain(stragglers.table),
    '',
    ...required.map(({ what, found, allowed, ok }) => `${ok ? 'ok    ' : 'MISSED'} ${what}: ${found} (${allowed})`),
  ]
  const page = `${intro}
## Failures that have nothing to do with the load

1,000 calls a second, each attempt fails with probability *f*, up to three attempts. Attempts per call / per cent of the
calls that succeed. Last column: after ten good seconds 200 calls in flight are reset at once; how many of them get their
first retry.

${markdown(steady.table)}

![Attempts per call over the probability of failure](plots/steady-load.svg)

![Attempts per call in a full outage](plots/outage-load.svg)

## Failures that come from the load

One server, first come first served, 300 requests a second, that goes on working on what its clients have given up. It
stalls for 10 s. The clients wait for 1 s, make up to three attempts and back off for 50 ms, doubled and jittered. Seconds
from the end of the stall until 95 % of the calls succeed again.

${markdown(stall.table)}

![Calls that succeed](plots/stall-goodput.svg)

![Attempts that the server gets](plots/stall-offered.svg)

One extra attempt without a budget is enough to stay down for ever. And what is harmless in one process is not in a
hundred: every process has an allowance, or a full bucket, of its own.

## Slow ones among the fast

Latency is log-normal around 5 ms, and 1 % of the requests take 20 to 100 times as long. A second attempt is made after
the wait that is the given percentile of late.

${markdown(stragglers.table)}

![Latency by percentile](plots/hedging-latency.svg)

## What has to hold

${markdown({
  head: ['', 'found', 'allowed'],
  rows: required.map(({ what, found, allowed }) => [what, found, allowed]),
})}
`
  return { page, lines }
}

const intro = `# The policies under load

Written by \`npm run sim\`, which runs offhook's own budget, backoff and hedging against simulated servers. The clock is
a number and the dice are seeded, so that it comes out the same every time; the command fails when one of the figures at
the end of this page is missed. In brackets: what another simulation of the same scenarios, with models of these
policies, had found.
`

/** @param {Table} table */
function markdown({ head, rows }) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** @param {Table} table */
function plain({ head, rows }) {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
