/**
 * What another simulation of the same scenarios found, with models of these policies written for it: the figures that
 * offhook's budget has to come to.
 */

/** Probabilities of failure for the steady state. */
export const failureShares = [0.01, 0.05, 0.1, 0.2, 0.5, 0.9, 1]

/**
 * Attempts per call / per cent of calls that succeed, for each of the probabilities; then how many of 200 calls that are
 * reset at once are granted their first retry.
 *
 * @type {Record<string, [string, string, string, string, string, string, string, number]>}
 */
export const steadyFigures = {
  'no retry': ['1.000/98.96', '1.000/94.90', '1.000/89.75', '1.000/79.71', '1.000/49.91', '1.000/10.0', '1.000/0', 0],
  'fixed 3 attempts': [
    '1.011/100',
    '1.053/99.99',
    '1.112/99.91',
    '1.242/99.18',
    '1.747/87.66',
    '2.713/26.9',
    '3.000/0',
    200,
  ],
  'AWS old (cost 5)': [
    '1.011/100',
    '1.053/99.99',
    '1.112/99.91',
    '1.242/99.18',
    '1.200/59.96',
    '1.022/10.2',
    '1.000/0',
    100,
  ],
  'AWS 2026 (cost 14)': [
    '1.011/100',
    '1.053/99.99',
    '1.112/99.91',
    '1.242/99.18',
    '1.071/53.48',
    '1.008/10.1',
    '1.000/0',
    35,
  ],
  'gRPC 10/0.1': ['1.011/100', '1.053/99.93', '1.018/91.37', '1.000/79.72', '1.000/49.91', '1.000/10.0', '1.000/0', 4],
  'gRPC 100/0.1': [
    '1.011/100',
    '1.053/99.99',
    '1.000/89.76',
    '1.000/79.72',
    '1.000/49.91',
    '1.000/10.0',
    '1.000/0',
    49,
  ],
  'Brooker 0.1/100': [
    '1.011/100',
    '1.053/99.99',
    '1.099/98.66',
    '1.087/86.58',
    '1.053/52.58',
    '1.010/10.1',
    '1.000/0',
    100,
  ],
  'Finagle, success-deposit': [
    '1.011/100',
    '1.053/99.99',
    '1.112/99.91',
    '1.202/95.90',
    '1.122/56.10',
    '1.031/10.3',
    '1.010/0',
    200,
  ],
  'Finagle, request-deposit': [
    '1.011/100',
    '1.053/99.99',
    '1.112/99.91',
    '1.210/96.54',
    '1.210/60.41',
    '1.210/12.1',
    '1.210/0',
    200,
  ],
  'SRE 10 %': ['1.011/100', '1.053/99.99', '1.100/98.78', '1.100/87.67', '1.100/54.96', '1.100/11.1', '1.100/0', 200],
  hybrid10: ['1.011/100', '1.053/99.99', '1.112/99.91', '1.242/99.18', '1.251/62.62', '1.023/10.2', '1.000/0', 200],
}

/** Calls a second and processes that make them. */
export const stallRuns = [
  { perSecond: 200, clients: 1 },
  { perSecond: 200, clients: 100 },
  { perSecond: 240, clients: 1 },
  { perSecond: 240, clients: 100 },
]

/**
 * Seconds from the end of the stall until the goodput is back, for each of the runs.
 *
 * @type {Record<string, (number | 'never')[]>}
 */
export const stallFigures = {
  'no retry': [18, 18, 34, 34],
  'fixed 2 attempts': ['never', 'never', 'never', 'never'],
  'fixed 3 attempts': ['never', 'never', 'never', 'never'],
  'AWS 2026 (cost 14)': [18, 51, 36, 89],
  'AWS old (cost 10)': [18, 66, 35, 115],
  'count bucket 140/14': [18, 27, 34, 50],
  'gRPC 10/0.1': [18, 21, 34, 41],
  'Brooker 0.1/100': [18, 117, 36, 201],
  'Finagle, success-deposit': [24, 'never', 52, 'never'],
  'ratio 20 %, no floor': [21, 20, 40, 40],
  hybrid10: [19, 28, 38, 52],
}

/** Hedging: p99 and p99.9 in milliseconds, and attempts beyond one per call. */
export const hedgeFigures = [
  { name: 'no hedge', run: {}, p99: 59.7, p999: 631, extra: 0 },
  { name: 'after p90', run: { percentile: 0.9, maxExtra: 0.2 }, p99: 15.2, p999: 20.3, extra: 0.1 },
  { name: 'after p95 (default)', run: { percentile: 0.95 }, p99: 16.7, p999: 22.1, extra: 0.051 },
  { name: 'after p99', run: { percentile: 0.99 }, p99: 31.5, p999: 69.3, extra: 0.01 },
]
