/** Clients that leave: every protocol, phase and manner, row by row. */

import { ClientGoneError, type HangupKind, type HangupPhase } from 'offhook/server'
import { describe, expect, test } from 'vitest'
import { type Leave, LeavingClient, until } from './leaving-client.js'
import { type Protocol, type Watched, watched } from './watched.js'

/** What the client does before it leaves. */
type Act = 'silent' | 'half a head' | 'half an upload' | 'asks, waits' | 'reads the beginning' | 'does not read'

interface Row {
  readonly on: readonly Protocol[]
  readonly act: Act
  readonly leave: Leave
  /** What is expected to be told; `undefined`: nothing. */
  readonly told: { readonly kind: HangupKind; readonly phase: HangupPhase } | undefined
}

const http1 = ['http', 'https'] as const
const http2 = ['h2c', 'h2'] as const
const raw = ['net', 'tls'] as const

const rows: readonly Row[] = [
  ...(['fin', 'rst'] as const).flatMap((leave): Row[] => {
    const kind = leave === 'fin' ? 'closed' : 'reset'
    return [
      { on: [...http1, ...http2, ...raw], act: 'silent', leave, told: undefined },
      { on: http1, act: 'half a head', leave, told: { kind, phase: 'send' } },
      { on: [...http1, ...http2], act: 'half an upload', leave, told: { kind, phase: 'send' } },
      { on: [...http1, ...http2, ...raw], act: 'asks, waits', leave, told: { kind, phase: 'wait' } },
      { on: [...http1, ...http2, ...raw], act: 'reads the beginning', leave, told: { kind, phase: 'body' } },
      // Who closes with unread bytes in its kernel sends an RST, however politely it closes.
      { on: [...http1, ...http2, ...raw], act: 'does not read', leave, told: { kind: 'reset', phase: 'body' } },
    ]
  }),
  // Node's HTTP servers answer nobody who has half-closed: for the request that is the end.
  { on: http1, act: 'asks, waits', leave: 'half', told: { kind: 'closed', phase: 'wait' } },
  ...(['cancel', 'goodbye'] as const).flatMap((leave): Row[] => {
    const kind = leave === 'cancel' ? 'reset' : 'closed'
    return [
      // Node's client ends the body before it resets the stream, so that the request is complete.
      { on: http2, act: 'half an upload', leave, told: { kind, phase: leave === 'cancel' ? 'wait' : 'send' } },
      { on: http2, act: 'asks, waits', leave, told: { kind, phase: 'wait' } },
      { on: http2, act: 'reads the beginning', leave, told: { kind, phase: 'body' } },
    ]
  }),
  { on: http2, act: 'does not read', leave: 'cancel', told: { kind: 'reset', phase: 'body' } },
]

const cases = rows.flatMap(({ on, ...row }) => on.map((protocol) => ({ protocol, ...row })))

const paths: Record<Act, string> = {
  silent: '',
  'half a head': '',
  'half an upload': '/swallow',
  'asks, waits': '/busy',
  'reads the beginning': '/begun',
  'does not read': '/big',
}

/** Brings the client as far as the act says; the server has noticed when this is over. */
async function play(
  act: Act,
  { protocol, client, server }: { protocol: Protocol; client: LeavingClient; server: Watched },
) {
  const path = paths[act]
  const deaf = act === 'does not read'
  if (act === 'silent') return until(() => server.watch.stats().connections === 1, 'the connection')
  if (protocol === 'h2' || protocol === 'h2c') {
    client.ask(path, act === 'half an upload' ? { method: 'POST', body: 'the beginning' } : { deaf })
  } else if (protocol === 'net' || protocol === 'tls') {
    deaf ? client.sayDeaf(`${path}\n`) : client.say(`${path}\n`)
  } else if (act === 'half a head') {
    client.say('GET /orders HTTP/1.1\r\nhost: lo')
    return until(() => server.received > 0, 'the bytes')
  } else if (act === 'half an upload') {
    client.say(`POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nthe beginning`)
  } else {
    const request = `GET ${path}?token=SECRET HTTP/1.1\r\nhost: localhost\r\n\r\n`
    deaf ? client.sayDeaf(request) : client.say(request)
  }
  await until(() => server.watch.stats().inFlight === 1, 'the request')
  if (act === 'reads the beginning') await until(() => client.heard.includes('the beginning'), 'the beginning')
}

describe('a client that leaves', () => {
  test.each(cases)('$protocol: $act, leaves by $leave', async ({ protocol, act, leave, told: expected }) => {
    await using server = await watched(protocol)
    const client = await LeavingClient.to(protocol, server.port)
    try {
      await play(act, { protocol, client, server })
      client.leave(leave)
      if (expected === undefined) {
        await until(() => server.watch.stats().connections === 0, 'the end of the connection')
        expect(server.hangups).toEqual([])
        expect(server.watch.stats()).toMatchObject({ hangups: 0, cutByServer: 0 })
        return
      }
      await until(() => server.hangups.length > 0, 'the hang-up')
      expect(server.hangups).toHaveLength(1)
      const [hangup] = server.hangups
      // A client of HTTP/2 takes what its window allows off the kernel, so that either end may come of closing it; and before
      // libuv 1.52 an RST behind unread bytes, such as HTTP/2's acknowledgements, shows as an end.
      const either =
        act === 'does not read' && hangup?.protocol === 'h2' && hangup.kind === 'closed' && leave !== 'cancel'
      const told = either ? { ...expected, kind: 'closed' as const } : expected
      expect(hangup).toMatchObject({ ...told, by: 'client' })
      expect(hangup?.verdict.hypotheses.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1)
      if (act === 'does not read')
        expect(hangup?.bytes.unsent ?? (hangup?.protocol === 'h2' ? 1e9 : 0)).toBeGreaterThan(1e6)
      expect(JSON.stringify(hangup)).not.toContain('SECRET')
      const stats = server.watch.stats()
      expect(stats).toMatchObject({ inFlight: 0, hangups: 1, cutByServer: 0, kinds: { [told.kind]: 1 } })
      if (act !== 'half a head') {
        const signal = server.signals[0] ?? server.watch.signalOf({})
        if (server.signals.length > 0) {
          expect(signal.aborted).toBe(true)
          expect(signal.reason).toBeInstanceOf(ClientGoneError)
          expect(signal.reason).toMatchObject({ ...told, byClient: true, code: 'OFFHOOK_CLIENT_GONE' })
        }
      }
    } finally {
      client.close()
    }
  })
})
