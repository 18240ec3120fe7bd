/** undici's two handler vocabularies, and the headers in the forms in which each of them brings them. */

/** The old vocabulary: what undici 6 and 7 speak inside, and what the fetch of Node 20 to 24 hands to a dispatcher. */
export interface OldHandler {
  onConnect?(abort: (reason?: unknown) => void, context?: unknown): void
  onResponseStarted?(): void
  onHeaders?(status: number, headers: Buffer[], resume: () => void, statusText: string): boolean
  onUpgrade?(status: number, headers: Buffer[] | string[] | null, socket: unknown): void
  onData?(chunk: Buffer): boolean
  onComplete?(trailers: Buffer[] | string[] | null): void
  onError?(error: unknown): void
  onBodySent?(chunk: unknown): void
  onRequestSent?(): void
}

/** What the new vocabulary hands to every call. */
export interface Controller {
  abort(reason: unknown): void
  pause(): void
  resume(): void
  readonly rawHeaders?: unknown
  readonly rawTrailers?: unknown
}

/** The new vocabulary: what undici 8 speaks, and 7 understands. */
export interface NewHandler {
  onRequestStart?(controller: Controller, context: unknown): void
  onRequestUpgrade?(controller: Controller, status: number, headers: HeaderRecord, socket: unknown): void
  onResponseStarted?(): void
  onResponseStart?(controller: Controller, status: number, headers: HeaderRecord, statusText?: string): void
  onResponseData?(controller: Controller, chunk: Buffer): void
  onResponseEnd?(controller: Controller, trailers: HeaderRecord): void
  onResponseError?(controller: Controller | null | undefined, error: unknown): void
  onBodySent?(chunk: unknown): void
  onRequestSent?(): void
}

/** Looks a header up by its lower-case name, however undici delivers them; lines of one name are joined by commas. */
export type HeaderReader = (name: string) => string | undefined

export type HeaderRecord = Record<string, string | string[] | undefined>
export type AnyHandler = OldHandler | NewHandler

export function speaksNew(handler: AnyHandler): handler is NewHandler {
  return typeof (handler as NewHandler).onRequestStart === 'function'
}

/** Headers in the old form: names and values in turn. */
export function rawList(raw: unknown, headers: HeaderRecord): Buffer[] {
  if (Array.isArray(raw)) return raw as Buffer[]
  const list: Buffer[] = []
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value ?? ''])
      list.push(Buffer.from(name, 'latin1'), Buffer.from(one, 'latin1'))
  }
  return list
}

export function rawReader(raw: readonly (Buffer | string)[]): HeaderReader {
  return (name) => {
    const values: string[] = []
    for (let index = 0; index + 1 < raw.length; index += 2) {
      const key = raw[index] as Buffer | string
      if (key.length === name.length && String(key).toLowerCase() === name) values.push(latin1(raw[index + 1]))
    }
    return values.length === 0 ? undefined : values.join(', ')
  }
}

/** A header, whole or in part, as it came. */
export function latin1(value: Buffer | string | undefined): string {
  return typeof value === 'string' ? value : (value?.toString('latin1') ?? '')
}

export function recordReader(headers: HeaderRecord): HeaderReader {
  return (name) => {
    const value = headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }
}
