/**
 * The lines of the demo: sixteen ways in which a call goes wrong, and what must come of each. The expectations are data,
 * and the demo fails when one of them is not met.
 */

import type { Mechanism, Phase } from '../index.js'
import { failTimes, misdeeds } from '../testing/rude-server.js'
import type { Ask, DemoLine } from './demo-line.js'
import { cutLate, hostedBy, nobodyListens, noSuchName, replay, upload } from './demo-targets.js'

const get: Ask = { method: 'GET' }
const put: Ask = { method: 'PUT', body: 'a thing' }
const post: Ask = { method: 'POST', body: 'one order' }

/** What a reset is called depends on whether a read or a write comes upon it first. */
const reset = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']
/** A short request may be seen as being written, or as written, when the connection ends. */
const sent: readonly Phase[] = ['wait', 'send']
/** And whether the kernel had shown the end before the reset, upon that which was written last. */
const byReset: readonly Mechanism[] = ['rst', 'fin-then-rst']
const lostAnswer = { kind: 'reset', phase: sent, delivery: ['unknown'], mechanism: byReset } as const
const cutBody = { kind: 'reset', phase: ['body'], delivery: ['partial'], mechanism: byReset } as const

/** On the way to a connection. */
const dialling: readonly DemoLine[] = [
  {
    does: 'nobody listens on the port',
    ask: post,
    open: nobodyListens,
    expect: {
      bare: ['ECONNREFUSED'],
      offhook: [
        {
          end: 'ConnectionRefusedError',
          kind: 'refused',
          phase: ['connect'],
          delivery: ['unsent'],
          mechanism: ['refused'],
          attempts: 3,
          stop: 'attempts',
        },
      ],
    },
  },
  {
    does: 'there is no such name',
    ask: get,
    open: noSuchName,
    options: () => ({ timeout: 4_000 }),
    expect: {
      bare: ['ENOTFOUND', 'EAI_AGAIN', 'silence'],
      // A resolver that says no is asked once more; one that cannot say, or says nothing, is what a machine without a network has.
      offhook: [
        { end: 'NameResolutionError', kind: 'dns', phase: ['dns'], delivery: ['unsent'], attempts: 2 },
        { end: 'NameResolutionError', kind: 'dns', phase: ['dns'], delivery: ['unsent'], attempts: 3 },
        { end: 'TimeoutError', kind: 'timeout', phase: ['call'], delivery: ['unsent'], attempts: 1 },
      ],
    },
  },
  {
    does: 'accepts the connection and resets it, once',
    ask: get,
    open: hostedBy(failTimes(1, misdeeds['reset-at-accept'])),
    expect: {
      bare: [...reset, 'silence'],
      offhook: [{ end: 200, kind: 'reset', phase: ['connect', ...sent], delivery: ['unsent', 'unknown'], attempts: 2 }],
      executed: { bare: 0, offhook: 1 },
    },
  },
  {
    does: 'resets the TLS handshake, once',
    ask: post,
    open: hostedBy(failTimes(1, misdeeds['tls-reset-after-client-hello']), { tls: true }),
    options: ({ server }) => ({ tls: { ca: server?.ca } }),
    expect: {
      bare: reset,
      offhook: [{ end: 200, kind: 'reset', phase: ['tls'], delivery: ['unsent'], attempts: 2 }],
      executed: { bare: 0, offhook: 1 },
    },
  },
  {
    does: 'shows a certificate signed by itself',
    ask: post,
    open: hostedBy(misdeeds['tls-self-signed-certificate'], { tls: true }),
    expect: {
      bare: ['DEPTH_ZERO_SELF_SIGNED_CERT'],
      offhook: [
        {
          end: 'TlsError',
          kind: 'tls',
          phase: ['tls'],
          delivery: ['unsent'],
          mechanism: ['app-protocol'],
          attempts: 1,
          stop: 'permanent',
        },
      ],
      executed: { bare: 0, offhook: 0 },
    },
  },
]

/** The request is on its way. */
const asking: readonly DemoLine[] = [
  {
    does: 'resets a kept connection just before it is used, 20 times',
    ask: { ...post, onResetConnections: 20 },
    open: hostedBy({}),
    expect: {
      // The fetch of Node 26 sees some of them in time.
      bare: [...reset, '200'],
      offhook: [{ end: 200, attempts: 20 }],
      executed: { bare: 'any', offhook: 20 },
    },
  },
  {
    does: 'resets in the middle of an upload, once',
    ask: { method: 'PUT', body: upload },
    open: hostedBy(failTimes(1, misdeeds['reset-mid-upload'])),
    expect: {
      bare: reset,
      offhook: [{ end: 200, ...lostAnswer, attempts: 2 }],
      executed: { bare: 0, offhook: 1 },
    },
  },
  {
    does: 'executes the request, then resets, once',
    ask: get,
    open: hostedBy(failTimes(1, misdeeds['reset-after-request'])),
    expect: {
      bare: reset,
      offhook: [{ end: 200, ...lostAnswer, attempts: 2 }],
      executed: { bare: 1, offhook: 2 },
    },
  },
  {
    does: 'executes the request, then resets, once',
    ask: post,
    open: hostedBy(failTimes(1, misdeeds['reset-after-request'])),
    expect: {
      bare: reset,
      offhook: [{ end: 'ConnectionResetError', ...lostAnswer, attempts: 1, stop: 'unsafe' }],
      executed: { bare: 1, offhook: 1 },
    },
  },
  {
    does: 'executes the request, then resets, once; honours keys',
    ask: { ...post, idempotencyKey: 'order-7' },
    open: hostedBy(failTimes(1, misdeeds['reset-after-request'], replay)),
    expect: {
      bare: reset,
      offhook: [{ end: 200, ...lostAnswer, attempts: 2 }],
      executed: { bare: 1, offhook: 1 },
    },
  },
  {
    does: 'closes without a word of an answer, twice',
    ask: put,
    open: hostedBy(failTimes(2, [{ read: 'request' }, 'fin'])),
    expect: {
      bare: ['UND_ERR_SOCKET'],
      offhook: [{ end: 200, kind: 'closed', phase: sent, delivery: ['unknown'], mechanism: ['fin'], attempts: 3 }],
      executed: { bare: 0, offhook: 1 },
    },
  },
  {
    does: 'never answers, once',
    ask: get,
    open: hostedBy(failTimes(1, misdeeds['stall-without-executing'])),
    options: () => ({ timeout: { headers: 300 } }),
    expect: {
      bare: ['silence'],
      offhook: [{ end: 200, kind: 'timeout', phase: sent, delivery: ['unknown'], mechanism: ['silence'], attempts: 2 }],
      executed: { bare: 0, offhook: 1 },
    },
  },
]

/** The answer is on its way. */
const answering: readonly DemoLine[] = [
  {
    does: 'answers 503, Retry-After: 1, once',
    ask: get,
    open: hostedBy(failTimes(1, misdeeds['status-503-retry-after'])),
    expect: {
      bare: ['503'],
      offhook: [{ end: 200, attempts: 2 }],
      executed: { bare: 0, offhook: 1 },
    },
  },
  {
    does: 'answers with bytes that are no HTTP',
    ask: get,
    open: hostedBy([{ read: 'request' }, ...(misdeeds.garbage.request ?? [])]),
    expect: {
      bare: ['HPE_INVALID_CONSTANT', 'HPE_INTERNAL', 'HTTPParserError'],
      offhook: [
        {
          end: 'ProtocolError',
          kind: 'protocol',
          phase: ['head'],
          delivery: ['partial'],
          mechanism: ['app-protocol'],
          attempts: 1,
          stop: 'permanent',
        },
      ],
      executed: { bare: 1, offhook: 1 },
    },
  },
  {
    does: 'resets in the middle of the body',
    ask: { ...get, wholeBytes: 1000 },
    open: hostedBy(cutLate('length')),
    expect: {
      bare: reset,
      offhook: [{ end: 'ConnectionResetError', ...cutBody, attempts: 1, stop: 'committed' }],
      executed: { bare: 1, offhook: 1 },
    },
  },
  {
    does: 'resets in the middle of a body without a length',
    ask: { ...get, wholeBytes: 1000 },
    open: hostedBy(cutLate('close')),
    expect: {
      bare: ['cut'],
      offhook: [{ end: 'ConnectionResetError', ...cutBody, attempts: 1, stop: 'committed' }],
      executed: { bare: 1, offhook: 1 },
    },
  },
]

/** Every line, in the order in which a call passes through its phases. */
export const demoLines: readonly DemoLine[] = [...dialling, ...asking, ...answering]
