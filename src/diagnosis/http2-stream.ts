import type { Evidence, Http2Facts } from '../failure/evidence.js'
import type { CodeFact } from '../knowledge/code-row.js'
import { http2Says } from '../knowledge/error-texts.js'
import { http2Codes } from '../knowledge/http-codes.js'

/**
 * What the end of an HTTP/2 stream says, where the wire heard it. It outranks the error that undici made of it: 7 fails
 * whatever is on a connection with the same error, and both take some resets for the end of a body.
 *
 * @param says what the error says by itself
 */
export function saysByStream(says: CodeFact, evidence: Evidence | undefined): CodeFact {
  const { http2, limit, status } = evidence ?? {}
  if (http2 === undefined || limit !== undefined || says.aborted === true) return says
  const heard = rejection(http2) ?? (http2.reset === undefined ? undefined : http2Says(http2.reset))
  if (heard !== undefined) {
    // Whoever has begun to answer has processed, whatever is said afterwards.
    return heard.kind === 'rejected' && status !== undefined ? { ...heard, kind: 'reset' } : heard
  }
  const brokeOff = says.kind === 'reset' || says.kind === 'closed'
  return brokeOff && http2.goaway !== undefined ? { ...says, http2: nameOfGoaway(http2.goaway) } : says
}

/** A GOAWAY proves that streams above its last one were not processed, and nothing about the others (RFC 9113 §6.8). */
function rejection({ stream, goaway }: Http2Facts): CodeFact | undefined {
  if (goaway === undefined || stream === undefined || stream <= goaway.lastStream) return undefined
  return { kind: 'rejected', delivery: 'rejected', http2: nameOfGoaway(goaway) }
}

function nameOfGoaway({ code }: NonNullable<Http2Facts['goaway']>): string {
  return (code === 0 ? undefined : http2Codes[code]?.name) ?? 'GOAWAY'
}
