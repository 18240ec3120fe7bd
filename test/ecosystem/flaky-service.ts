/** A local fake of somebody's service that loses one connection in five, and keeps the book of what it has executed. */

import {
  type Answer,
  misdeeds,
  type RudeServer,
  rudeServer,
  type Script,
  type SeenRequest,
  type Step,
} from 'offhook/testing'

/**
 * How it loses a connection: `unsent`, reset in the TLS handshake, before a byte of the request could be sent; `heard`,
 * reset after the request was executed and before a byte of the answer; `idle`, reset while nobody uses it.
 */
export type Loss = 'unsent' | 'heard' | 'idle'

/** The answers of the service, by method and path (`'POST /orders'`) or path alone. */
export type Answers = Readonly<Record<string, Answer | ((request: SeenRequest) => Answer)>>

const isBad = (connection: number) => connection % 5 === 2
const most = 1_000

export async function flakyService(loss: Loss, answers: Answers, idHeader = 'x-request-id'): Promise<RudeServer> {
  const perConnection = (bad: Script) => ({
    turns: Array.from({ length: most }, (_, index) => (isBad(index + 1) ? bad : {})),
    per: 'connection' as const,
  })
  const server = await rudeServer({ tls: true, idHeader })
  if (loss === 'unsent') server.on(perConnection(misdeeds['tls-reset-after-client-hello']))
  if (loss === 'idle') server.on(perConnection({ idle: ['rst'] }))
  for (const [route, answer] of Object.entries(answers)) {
    server.route(route, (request): readonly Step[] | Script => {
      const bad = isBad(request.connection)
      if (bad && loss === 'heard') return misdeeds['reset-after-request']
      // Many connections, so that many are lost; where they are lost while idle, each must have been idle.
      const close = loss !== 'idle' || (!bad && request.requestOnConnection === 3)
      const answered = [
        { read: 'request' },
        { respond: { close, ...(typeof answer === 'function' ? answer(request) : answer) } },
      ] as const
      return bad && loss === 'idle' ? { request: answered, idle: ['rst'] } : answered
    })
  }
  return server
}

/** How many connections have been lost so far, that in use included. */
export function lostConnections({ connections }: RudeServer): number {
  return Array.from({ length: connections.accepted }, (_, index) => index + 1).filter(isBad).length
}

/** A JSON answer. */
export function json(value: unknown, more: Answer = {}): Answer {
  return { ...more, headers: { 'content-type': 'application/json', ...more.headers }, body: JSON.stringify(value) }
}

/** Server-sent events, a few bytes at a time, so that each event comes in pieces. */
export function events(data: readonly unknown[]): Answer {
  const text = data.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join('')
  const headers = { 'content-type': 'text/event-stream' }
  return { headers, framing: 'chunked', body: text, drip: { bytes: 50, everyMs: 0 } }
}
