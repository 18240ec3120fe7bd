/**
 * What the fetch of Deno and Bun says of a failure. Neither lets the system's error through, and over neither do we see
 * the connection. A redirect may have been followed before, so that no row proves that nothing was sent.
 */

import type { TextRow } from './error-texts.js'

const deno = 'Deno 2.9.6, seen over real sockets (docs/runtimes.md)'
const bun = 'Bun 1.4.5, seen over real sockets (docs/runtimes.md)'
const noCode = 'the cause is a plain Error of the Rust client, without a code'

export const runtimeTextRows: readonly TextRow[] = [
  {
    text: /client error \(Connect\): tcp connect error: Connection refused \(os error \d+\)$/,
    says: { kind: 'refused', phase: 'connect' },
    why: noCode,
    source: deno,
  },
  {
    text: /client error \(Connect\): dns error: /,
    says: { kind: 'dns', phase: 'dns' },
    why: noCode,
    source: deno,
  },
  {
    text: /(?:^|: )Connection reset by peer \(os error \d+\)$/,
    says: { kind: 'reset', phase: 'wait' },
    why: noCode,
    source: deno,
  },
  {
    text: /client error \(SendRequest\): connection closed before message completed$/,
    says: { kind: 'closed', phase: 'wait' },
    why: noCode,
    source: deno,
  },
  {
    text: /client error \(SendRequest\): invalid HTTP \w+ parsed$/,
    says: { kind: 'protocol', phase: 'head', delivery: 'partial', permanent: true },
    why: noCode,
    source: deno,
  },
  {
    codes: ['ECONNRESET'],
    text: /The socket connection was closed unexpectedly/,
    says: { kind: 'closed', phase: 'wait', mute: true },
    why: 'Bun has this one code for a FIN as well as for a RST, so that a reset is not to be claimed',
    source: bun,
  },
  {
    codes: ['Malformed_HTTP_Response'],
    text: /^/,
    says: { kind: 'protocol', phase: 'head', delivery: 'partial', permanent: true },
    why: "the code is Bun's own, and fits no family of codes",
    source: bun,
  },
]
