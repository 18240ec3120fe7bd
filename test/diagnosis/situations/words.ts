/** What was said in the words of a protocol. */

import { busy, closed, cut, type Situation, tell, type World, waited } from './world.js'

const status =
  (status: number, headers = {}) =>
  (w: World) =>
    tell(w, {
      failure: { kind: 'status', phase: 'body', status, delivery: 'answered' },
      evidence: { status },
      around: { headers },
    })
const t = (tls: 'certificate' | 'mismatch' | 'alert', code: string) => (w: World) =>
  tell(w, {
    failure: { kind: 'tls', phase: 'tls', tls, code, delivery: 'unsent' },
    around: { tls: { stage: 'server-answered' } },
  })
export const words: readonly Situation[] = [
  { what: '500', may: ['peer-application'], mustFrom: 0, seen: status(500) },
  { what: '500 by nginx', may: ['peer-application', 'proxy'], seen: status(500, { server: 'nginx' }) },
  { what: '500 through a gateway', may: ['peer-application'], seen: status(500, { via: '1.1 gw' }) },
  { what: '404', may: ['peer-application'], mustFrom: 0, seen: status(404) },
  { what: '429', may: ['peer-application', 'proxy'], seen: status(429) },
  {
    what: '429 by cloudflare',
    may: ['peer-application', 'proxy'],
    seen: status(429, { server: 'cloudflare', marks: ['cf-ray'] }),
  },
  { what: '502', may: ['proxy'], mustFrom: 0, seen: status(502) },
  { what: '502 by nginx', may: ['proxy'], mustFrom: 0, seen: status(502, { server: 'nginx' }) },
  { what: '503', may: ['proxy', 'peer-application'], seen: status(503) },
  { what: '503 by awselb', may: ['proxy'], mustFrom: 0, seen: status(503, { server: 'awselb/2.0' }) },
  { what: '503 by envoy', may: ['proxy'], mustFrom: 0, seen: status(503, { server: 'envoy' }) },
  { what: '504', may: ['proxy'], mustFrom: 0, seen: status(504) },
  {
    what: '520 by cloudflare',
    may: ['proxy'],
    mustFrom: 0,
    seen: status(520, { server: 'cloudflare', marks: ['cf-ray'] }),
  },
  {
    what: '522 by cloudflare',
    may: ['proxy'],
    mustFrom: 0,
    seen: status(522, { server: 'cloudflare', marks: ['cf-ray'] }),
  },
  { what: '408', may: ['peer-application', 'proxy'], seen: status(408) },
  { what: '413 by nginx', may: ['peer-application', 'proxy'], seen: status(413, { server: 'nginx' }) },
  { what: '431', may: ['peer-application', 'proxy'], seen: status(431) },
  { what: '400 plain HTTP to HTTPS port', may: ['peer-application', 'proxy'], seen: status(400, { server: 'nginx' }) },
  { what: '401', may: ['peer-application'], mustFrom: 0, seen: status(401) },
  {
    what: 'a certificate that has expired',
    may: ['tls-peer'],
    mustFrom: 0,
    seen: t('certificate', 'CERT_HAS_EXPIRED'),
  },
  { what: 'another name', may: ['tls-peer'], mustFrom: 0, seen: t('certificate', 'ERR_TLS_CERT_ALTNAME_INVALID') },
  {
    what: 'unknown issuer',
    may: ['tls-peer'],
    mustFrom: 0,
    seen: t('certificate', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'),
  },
  { what: 'not yet valid', may: ['tls-peer', 'local-host'], seen: t('certificate', 'CERT_NOT_YET_VALID') },
  { what: 'no TLS there', may: ['tls-peer'], mustFrom: 0, seen: t('mismatch', 'ERR_SSL_WRONG_VERSION_NUMBER') },
  {
    what: 'handshake failure',
    may: ['tls-peer'],
    mustFrom: 0,
    seen: (w) =>
      tell(w, {
        failure: { kind: 'tls', phase: 'tls', tls: 'alert', code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE' },
        around: { tls: { stage: 'hello-sent', alert: 'handshake failure' } },
      }),
  },
  {
    what: 'certificate required',
    may: ['tls-peer'],
    mustFrom: 0,
    seen: (w) =>
      cut(w, w.rtt, { failure: closed, around: { tls: { stage: 'established', alert: 'certificate required' } } }),
  },
  {
    what: 'unrecognized name',
    may: ['tls-peer'],
    mustFrom: 0,
    seen: (w) =>
      tell(w, {
        failure: { kind: 'tls', phase: 'tls', tls: 'alert' },
        around: { tls: { stage: 'hello-sent', alert: 'unrecognized name' } },
      }),
  },
  {
    what: 'junk',
    may: ['peer-application'],
    mustFrom: 0,
    seen: (w) =>
      tell(w, {
        failure: { kind: 'protocol', phase: 'head', code: 'HPE_INVALID_CONSTANT' },
        evidence: { phase: 'head' },
      }),
  },
  {
    what: 'header overflow',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      tell(w, { failure: { kind: 'protocol', phase: 'head', code: 'UND_ERR_HEADERS_OVERFLOW' }, connection: busy }),
  },
  {
    what: 'wrong length',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      tell(w, {
        failure: { kind: 'protocol', phase: 'body', code: 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' },
        evidence: { status: 200 },
      }),
  },
  {
    what: 'bad gzip',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      tell(w, {
        failure: { kind: 'protocol', phase: 'body', code: 'Z_DATA_ERROR', delivery: 'answered' },
        evidence: { status: 200 },
      }),
  },
  {
    what: 'REFUSED_STREAM',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      tell(w, {
        failure: { kind: 'rejected', http2: 'REFUSED_STREAM', delivery: 'rejected' },
        connection: { ...busy, protocol: 'h2' },
      }),
  },
  {
    what: 'GOAWAY',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      tell(w, {
        failure: { kind: 'rejected', http2: 'GOAWAY', delivery: 'rejected' },
        connection: { ...busy, protocol: 'h2' },
      }),
  },
  {
    what: 'ENHANCE_YOUR_CALM',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      tell(w, { failure: { kind: 'reset', http2: 'ENHANCE_YOUR_CALM' }, connection: { ...busy, protocol: 'h2' } }),
  },
  {
    what: 'INTERNAL_ERROR by envoy',
    may: ['peer-application', 'proxy'],
    seen: (w) =>
      tell(w, {
        failure: { kind: 'reset', http2: 'INTERNAL_ERROR', phase: 'body' },
        connection: { ...busy, protocol: 'h2' },
        around: { headers: { server: 'envoy' } },
      }),
  },
  {
    what: 'HTTP/2 PING unanswered',
    may: ['path', 'peer-host', 'peer-application', 'proxy'],
    seen: (w) =>
      waited(w, 15_000, {
        failure: { http2: 'PING' },
        evidence: { limit: 'heartbeat' },
        connection: { ...busy, protocol: 'h2' },
      }),
  },
  { what: 'the caller aborted', may: ['self'], mustFrom: 0, seen: (w) => tell(w, { failure: { aborted: true } }) },
  {
    what: 'not admitted',
    may: ['self'],
    mustFrom: 0,
    seen: (w) => tell(w, { failure: { kind: 'not-admitted', phase: 'admit', delivery: 'unsent' } }),
  },
]
