// The decision table as a page for people, made of the table that decides. Pure: rows in, Markdown out.

/** @typedef {import('../src/policy/decision-row.js').DecisionRow} DecisionRow */
/** @typedef {import('../src/policy/decision-row.js').Cell} Cell */
/** @typedef {import('../src/policy/decision-row.js').Manner} Manner */
/** @typedef {import('../src/policy/decision-row.js').Condition} Condition */
/** @typedef {import('../src/policy/decision-row.js').Opening} Opening */

/** @type {Record<Manner, string>} */
const manners = {
  T: 'free, at once',
  'T-once': 'free, at once, one time',
  'T-once-then-C': 'free, at once; the second time paid',
  C: 'paid',
  C0: 'paid; the first time at once',
  'C-once': 'paid, one time',
  'C-slow': 'paid, after a long wait',
  'C-throttle': 'paid (0.4), after a long wait',
}

/** @type {Record<Condition, string>} */
const conditions = {
  unsent: 'if it was never sent',
  proved: 'if it is proved unprocessed',
  resumable: 'if the answer has a strong ETag',
  nack: 'if the server says that it did not process it',
  'never-forwarded': 'if the gateway says that it never reached the origin',
}

/** What else a row says, by the name of its field. */
const notes = /** @type {const} */ ({
  fresh: 'on a new connection',
  overHttp1: 'over HTTP/1.1',
  elsewhere: 'at once, while the name has an address that was not tried',
  listed: 'only statuses in `retry.statuses`',
  throttledByHint: 'paid (0.4), after a long wait, where the server names one',
})

/** @param {Opening} opening */
function opened({ manner, optIn, when }) {
  const what = when === undefined ? manners[manner] : `${manners[manner]}, ${conditions[when]}`
  return optIn === undefined ? what : `**no**; with \`retry.${optIn}\` ${what}`
}

/** @param {Cell} cell */
function told(cell) {
  if (cell === 'never') return '**no**'
  if (cell === 'as-status') return 'as the status says'
  if (typeof cell === 'string') return manners[cell]
  const [first = '', ...others] = cell.map(opened)
  const rest = others.map((text) => text.replace(/^\*\*no\*\*; /, ''))
  const start = first.startsWith('**no**') || rest.length > 0 ? first : `${first}; else **no**`
  return [start, ...rest].join('; ')
}

/**
 * Why it stops: a row may tell by the failure.
 *
 * @param {DecisionRow} row
 */
function stops({ stop = 'unsafe', ...row }) {
  const cells = [row.idempotent, row.keyed, row.unsafe]
  if (cells.every((cell) => typeof cell === 'string' && cell !== 'never')) return ''
  if (typeof stop !== 'function') return `\`${stop}\``
  const failure = /** @type {const} */ ({ kind: 'timeout', phase: 'admit', delivery: 'unsent', cause: undefined })
  const asked = [
    failure,
    { ...failure, aborted: true },
    { ...failure, admission: /** @type {const} */ ('budget') },
  ].map(stop)
  return [...new Set(asked)].map((reason) => `\`${reason}\``).join(', ')
}

/** @param {DecisionRow} row */
function line(row) {
  const more = Object.entries(notes)
    .filter(([name]) => row[/** @type {keyof typeof notes} */ (name)] === true)
    .map(([, text]) => text)
  const cells = [
    row.number,
    row.says,
    told(row.idempotent),
    told(row.keyed),
    told(row.unsafe),
    stops(row),
    more.join('; '),
  ]
  return `| ${cells.join(' | ')} |`
}

/**
 * The page.
 *
 * @param {readonly DecisionRow[]} table in the order in which its rows are asked
 */
export function decisionPage(table) {
  // By number for the reader; rows of one number stay in the order in which they are asked.
  const rows = [...table].sort((a, b) => a.number - b.number)
  return `# What is sent again, row by row

Printed from the table that decides (\`src/policy/decision-table.ts\`) by \`npm run decisions\`. Each decision names its row: \`error.attempts[n].decision.row\`.

A failed attempt is looked up by what happened and by what the request promises: *idempotent* (GET, HEAD, OPTIONS, TRACE, QUERY, PUT, DELETE, or
\`idempotent: true\`), *keyed* (another method with an Idempotency-Key), *unsafe* (all others). Where it may be sent again:

- **free**: the request was proved not to have been processed, so it costs no attempt and no budget; three times in a row at most.
- **paid**: one of \`retry.attempts\`, paid from the budget of the origin, after the backoff (\`retry.backoff.base\`, doubling, full jitter) unless "at once" is said.
- **a long wait**: the backoff of overload (\`retry.backoff.throttledBase\`), or what the server asked for.

Whatever the row says: nothing is sent again when the caller aborted, when the answer was handed over, when the body was a stream and is gone, when
\`retry: false\`, or when the wait would end after the deadline. The reason for a stop is \`error.stopReason\`.

| row | what happened | idempotent | keyed | unsafe | stops as | and |
|---|---|---|---|---|---|---|
${rows.map(line).join('\n')}
`
}
