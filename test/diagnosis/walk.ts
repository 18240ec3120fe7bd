/** Walks a table of raw errors: each is made to happen, caught, and named by its shape alone. */

import { expect, test } from 'vitest'
import { classify } from '../../src/diagnosis/classify.js'
import type { Failure } from '../../src/failure/kinds.js'

export type Row = readonly [name: string, provoke: () => unknown, expected: Partial<Failure>]

export function walk(rows: readonly Row[]): void {
  test.each(rows)('%s', async (_name, provoke, expected) => {
    const raw = await provoke()
    expect(raw).toBeInstanceOf(Error)
    const failure = classify(raw)
    expect(failure).toMatchObject(expected)
    // What only some failures have is absent from the others.
    const { permanent, temporary, tls, http2, proxyStatus, status, admission, aborted } = failure
    expect({ permanent, temporary, tls, http2, proxyStatus, status, admission, aborted }).toEqual({
      permanent: expected.permanent,
      temporary: expected.temporary,
      tls: expected.tls,
      http2: expected.http2,
      proxyStatus: expected.proxyStatus,
      status: expected.status,
      admission: expected.admission,
      aborted: expected.aborted,
    })
  })
}
