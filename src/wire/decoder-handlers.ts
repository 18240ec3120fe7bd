/**
 * fetch undoes content codings by itself. When it cannot, and the response had ended before, nobody hears of it but its
 * own handler; so the handler is listened to.
 */

import type { Exchange } from './exchange.js'
import { type AnyHandler, speaksNew } from './handler-shapes.js'

/**
 * Hears what the caller's handler is told by its own decoder, once the exchange has ended well.
 *
 * @param name gives the error that the handler is to pass on in place of the decoder's
 */
export function listenToDecoder(exchange: Exchange, handler: AnyHandler, name: (raw: unknown) => unknown): void {
  const named = (raw: unknown) => {
    if (exchange.endedAt === undefined || exchange.failed || exchange.stopped) return raw
    exchange.failed = true
    return name(raw)
  }
  if (speaksNew(handler)) {
    const { onResponseError } = handler
    handler.onResponseError = (controller, raw) => onResponseError?.call(handler, controller, named(raw))
  } else {
    const { onError } = handler
    handler.onError = (raw) => onError?.call(handler, named(raw))
  }
}

/** zlib's errors: the only ones that the reader's side of an exchange adds to it. */
export function isDecoding(reason: unknown): boolean {
  const code = reason instanceof Error ? (reason as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' && /^(?:Z_|ERR_BROTLI|ERR_ZSTD|ERR_?_ERROR_FORMAT|ERR__|ZSTD_)/.test(code)
}
