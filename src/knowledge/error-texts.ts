/**
 * The few facts that stand nowhere but in a message. Texts are for people and change, so whatever a class, a code, a
 * system call or the wire tells is taken from there; each row here says why nothing else tells it. A text that is not
 * recognised costs a detail, never the failure's name: the row of the code still holds.
 */

import { type CodeFact, invalid } from './code-row.js'
import { http2Codes } from './http-codes.js'

/** Which errors a row reads, and what it finds there. */
export interface TextRow {
  /** Only errors with one of these codes. Absent: only errors without any. */
  readonly codes?: readonly string[]
  /** Only errors of this name. */
  readonly name?: string
  readonly text: RegExp
  /** What it says; `found` are the pattern's groups. `undefined`: this row does not apply after all. */
  readonly says: CodeFact | ((found: readonly string[]) => CodeFact | undefined)
  /** Why the text must be read. */
  readonly why: string
  readonly source: string
}

const fetchSource = 'undici lib/web/fetch/index.js'
const noCode = 'fetch makes a plain Error of the reason; it has no code'
const redirect = { kind: 'protocol', phase: 'head', delivery: 'answered', permanent: true } as const

export const textRows: readonly TextRow[] = [
  {
    codes: ['UND_ERR_ABORTED'],
    text: /^Proxy response \((\d{3})\) !== 200 when HTTP Tunneling/,
    says: ([status]) => proxySays(Number(status)),
    why: 'undici reports a proxy that refused the tunnel as an abort, by class and by code',
    source: 'undici 6 to 8 lib/dispatcher/proxy-agent.js',
  },
  {
    codes: ['ERR_HTTP2_STREAM_ERROR'],
    text: /error code NGHTTP2_([A-Z0-9_]+)/,
    says: ([name = '']) => http2Says(name),
    why: 'Node and undici 7 put the HTTP/2 error code into the text alone, and REFUSED_STREAM is a proof',
    source: 'node lib/internal/errors.js',
  },
  {
    codes: ['ERR_HTTP2_SESSION_ERROR'],
    text: /error code (\d+)/,
    says: ([number]) => sessionSays(Number(number)),
    why: 'as above; the end of a session proves nothing about one stream, REFUSED_STREAM included',
    source: 'node lib/internal/errors.js',
  },
  {
    codes: ['UND_ERR_INFO'],
    text: /"GOAWAY" frame received/,
    says: { kind: 'rejected', delivery: 'rejected', http2: 'GOAWAY', outranksCause: true },
    why: 'undici 8 fails only streams above the last one that the peer processed, with its code for notes of all kinds',
    source: 'undici 8 lib/dispatcher/client-h2.js onHttp2SessionGoAway',
  },
  {
    codes: ['UND_ERR_SOCKET'],
    text: /"GOAWAY" frame received/,
    says: { kind: 'closed', http2: 'GOAWAY' },
    why: 'undici 7 fails processed streams so too: this one proves nothing',
    source: 'undici 7 lib/dispatcher/client-h2.js onHttp2SessionGoAway',
  },
  {
    codes: ['UND_ERR_SOCKET'],
    text: /^HTTP\/2: connection unresponsive/,
    says: { kind: 'timeout', phase: 'wait', http2: 'PING' },
    why: 'a PING without an answer has the code of a closed socket',
    source: 'undici 8 lib/dispatcher/client-h2.js',
  },
  {
    codes: ['UND_ERR_SOCKET'],
    text: /^bad (?:response|upgrade|connect)$/,
    says: { kind: 'protocol', phase: 'head', delivery: 'partial' },
    why: 'undici itself ended the connection over what came on it, with the code of a closed socket',
    source: 'undici lib/dispatcher/client-h1.js',
  },
  {
    codes: ['UND_ERR_INFO'],
    text: /stream timeout after/,
    says: { kind: 'timeout', phase: 'wait' },
    why: 'undici 7 has no code for it',
    source: 'undici 7 lib/dispatcher/client-h2.js',
  },
  {
    codes: ['UND_ERR_INFO'],
    text: /"frameError" received/,
    says: { kind: 'protocol' },
    why: 'undici has no code for it',
    source: 'undici lib/dispatcher/client-h2.js',
  },
  {
    codes: ['UND_ERR_INFO'],
    text: /^No DNS entries found/,
    says: { kind: 'dns', phase: 'dns', delivery: 'unsent', temporary: false },
    why: 'undici has no code for it',
    source: 'undici lib/interceptor/dns.js',
  },
  {
    codes: ['ECONNRESET'],
    text: /^aborted$/,
    says: { kind: 'closed', phase: 'body', delivery: 'partial', mute: true },
    why: 'node:http has one code for a FIN before the answer ("socket hang up") and in the middle of it ("aborted")',
    source: 'node:_http_client socketCloseListener',
  },
  {
    name: 'HTTPParserError',
    text: /\((?:Invalid EOF state|.*UNEXPECTED_EOF.*)\)/,
    says: { kind: 'closed', phase: 'body', delivery: 'partial', mute: true },
    why: 'undici 7 and 8 leave the parser error without its code',
    source: 'undici lib/dispatcher/client-h1.js createError',
  },
  {
    name: 'TypeError',
    text: /^terminated$/,
    says: { kind: 'unknown', phase: 'body', delivery: 'partial' },
    why: 'that the response head had come is told by this wrapper alone',
    source: `${fetchSource} onAborted`,
  },
  {
    text: /^(?:unexpected redirect|redirect count exceeded|max redirects|URL scheme must be a HTTP\(S\) scheme)$/,
    says: redirect,
    why: noCode,
    source: `${fetchSource}; undici 7 lib/handler/redirect-handler.js`,
  },
  {
    text: /^(?:cross origin not allowed|URL cannot contain credentials) for request mode/,
    says: redirect,
    why: noCode,
    source: `${fetchSource} httpRedirectFetch`,
  },
  {
    text: /^integrity mismatch$/,
    says: { kind: 'protocol', phase: 'body', delivery: 'answered', permanent: true },
    why: noCode,
    source: `${fetchSource} mainFetch, on the digests of its integrity option`,
  },
  // Of the first URL or of one that an answer pointed to: which, it does not say.
  {
    text: /^bad port$/,
    says: { kind: 'not-admitted', admission: 'invalid', phase: 'admit', permanent: true },
    why: noCode,
    source: `${fetchSource} mainFetch`,
  },
  {
    text: /^(?:unknown scheme|invalid method|about scheme is not supported|not implemented\.\.\. yet\.\.\.)$/,
    says: invalid,
    why: noCode,
    source: `${fetchSource} schemeFetch`,
  },
]

/**
 * The wrapper of all that goes wrong in fetch before it has a response. It has parsed its own URL by then: one that
 * cannot be parsed came from an answer.
 */
export const fetchFailed = /^fetch failed$/

/** The answer pointed to where nobody can go. */
export const badRedirect: CodeFact = redirect

/** A proxy's answer to CONNECT. What it refuses (407, 403) it will refuse again; what it could not do may pass. */
export function proxySays(status: number): CodeFact {
  const refused = status >= 400 && status < 500 && status !== 408 && status !== 429
  return {
    kind: 'proxy',
    phase: 'proxy',
    delivery: 'unsent',
    proxyStatus: status,
    outranksCause: true,
    ...(refused && { permanent: true }),
  }
}

/** What the end of an HTTP/2 stream or session says, by the code's name or number. */
export function http2Says(code: string | number): CodeFact | undefined {
  const known = http2Codes.find(({ name }, number) => code === name || code === number)
  return known === undefined ? undefined : { ...known.says, http2: known.name }
}

function sessionSays(number: number): CodeFact | undefined {
  const says = http2Says(number)
  return says?.delivery === undefined ? says : { kind: 'closed', http2: http2Codes[number]?.name ?? 'GOAWAY' }
}

/**
 * The code that Node would have made of an OpenSSL error, from the text of an `EPROTO`: `…:SSL routines:ssl3_read_bytes:
 * tlsv1 alert protocol version:…` is `ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION`. node:https reports such errors from a
 * failed write, which has a system's code and not OpenSSL's.
 */
export function opensslCode(text: string): string | undefined {
  const reason = /:SSL routines:[^:]*:([^:]{1,60}):/.exec(text)?.[1]
  return reason === undefined ? undefined : `ERR_SSL_${reason.replaceAll(' ', '_').toUpperCase()}`
}
