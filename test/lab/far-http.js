// The HTTP server of the lab: what it does with a request stands in the request's path.
//
//   /ok            answers; ?ms= after a while
//   /hang          never answers
//   /reset         ?ms= later, linger 0
//   /fin           ?ms= later, closes without an answer
//   /die           kills its own process with SIGKILL
//   /part          ?by=fin|rst|die|hang: a head, a tenth of the body, then that
//   /early         answers 413 as soon as it has the head, then closes with the upload unread
//   /unread        closes with the upload unread, without an answer
//   /status        ?code=502
//   /junk          answers with what is no HTTP

import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'

/** @typedef {import('./far-side.mjs').FarSpec} FarSpec */
/** @typedef {{ port: number }} Far */
/** @typedef {{ path: string, query: URLSearchParams, length: number, method: string }} Head */
/** @typedef {{ raw: net.Socket, stream: net.Socket, spec: FarSpec }} Line */

/**
 * @param {FarSpec} spec
 * @returns {Promise<Far>}
 */
export async function httpServer(spec) {
  const secure = await secureContext(spec)
  const server = net.createServer({ pauseOnConnect: spec.onConnect !== undefined, noDelay: true }, (raw) => {
    const stream =
      secure === undefined || spec.onFirstBytes ? raw : new tls.TLSSocket(raw, { isServer: true, ...secure })
    const line = { raw, stream, spec }
    raw.on('error', () => {})
    stream.on('error', () => {})
    if (spec.onConnect !== undefined) greet(line)
    else if (spec.onFirstBytes !== undefined) raw.once('data', () => leave(line, spec.onFirstBytes))
    else serve(line)
  })
  server.listen(spec.port ?? 0, spec.host ?? '127.0.0.1', spec.backlog ?? 511)
  await once(server, 'listening')

  return { port: /** @type {net.AddressInfo} */ (server.address()).port }
}

/** @param {FarSpec} spec */
async function secureContext({ tls: wanted }) {
  if (wanted === undefined) return undefined
  const { certificates, TEST_CA } = await import(new URL('testing/rude-server.js', wanted.package).href)
  return {
    secureContext: tls.createSecureContext({
      ...certificates[wanted.certificate],
      ...(wanted.askClient && { ca: TEST_CA }),
      ...(wanted.minVersion !== undefined && { minVersion: /** @type {tls.SecureVersion} */ (wanted.minVersion) }),
      ...(wanted.maxVersion !== undefined && { maxVersion: /** @type {tls.SecureVersion} */ (wanted.maxVersion) }),
      ...(wanted.ciphers !== undefined && { ciphers: wanted.ciphers }),
    }),
    requestCert: wanted.askClient === true,
    rejectUnauthorized: wanted.askClient === true,
  }
}

function die() {
  process.kill(process.pid, 'SIGKILL')
}

/** @param {Line} line */
function greet(line) {
  if (line.spec.onConnect === 'junk') line.raw.end('220 mail.lab ESMTP ready\r\n')
  else leave(line, line.spec.onConnect)
}

/**
 * @param {Line} line
 * @param {string | undefined | null} how
 */
function leave({ raw, stream }, how) {
  if (how === 'reset' || how === 'rst') raw.resetAndDestroy()
  else if (how === 'fin') stream.end()
  else if (how === 'die') die()
}

/**
 * Reads requests one after the other and answers them.
 *
 * @param {Line} line
 */
function serve(line) {
  const { stream, spec } = line
  let held = Buffer.alloc(0)
  let answered = 0
  /** @type {NodeJS.Timeout | undefined} */
  let idle
  /** @type {Head | undefined} */
  let head
  const rest = () => {
    answered += 1
    if (answered === spec.maxRequests) setTimeout(() => stream.end(), spec.capAfterMs ?? 0)
    else if (spec.idleMs !== undefined) idle = setTimeout(() => leave(line, spec.idleBy ?? 'fin'), spec.idleMs)
  }
  if (spec.patienceMs !== undefined) idle = setTimeout(() => stream.end(), spec.patienceMs)
  stream.on('data', (chunk) => {
    clearTimeout(idle)
    held = Buffer.concat([held, chunk])
    if (head === undefined) {
      const end = held.indexOf('\r\n\r\n')
      if (end < 0 && startsAsHttp(held)) return
      head = parse(held.toString('latin1', 0, end))
      held = held.subarray(end + 4)
      if (head?.path === '/early') return early(line)
      if (head?.path === '/unread') return unread(line)
    }
    if (head === undefined)
      return stream.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
    if (held.length < head.length) return
    held = held.subarray(head.length)
    const request = head
    head = undefined
    setTimeout(() => answer(line, request, rest), Number(request.query.get('ms') ?? 0))
  })
  stream.on('end', () => stream.end())
}

/** @param {Buffer} bytes */
function startsAsHttp(bytes) {
  return /^[A-Z]/.test(bytes.toString('latin1', 0, 1))
}

/**
 * @param {string} text
 * @returns {Head | undefined}
 */
function parse(text) {
  const first = /^(\w+) (\S+) HTTP\/1\.1/.exec(text)
  if (first === null) return undefined
  const { pathname, searchParams } = new URL(first[2] ?? '/', 'http://lab')
  const length = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0)
  return { method: first[1] ?? 'GET', path: pathname, query: searchParams, length }
}

/**
 * The bug behind most resets of uploads: it answers, and closes while the rest of the body is still coming in.
 *
 * @param {Line} line
 */
function early({ stream, raw }) {
  stream.pause()
  stream.write('HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
  setImmediate(() => raw.destroy())
}

/**
 * @param {Line} line
 * @param {Head} request
 * @param {() => void} rest
 */
function answer(line, { path, query }, rest) {
  const { stream, spec } = line
  const said = Object.entries({ ...spec.headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  const headOf = (/** @type {number} */ status, /** @type {number} */ length) =>
    `HTTP/1.1 ${status} So\r\n${said.join('')}content-length: ${length}\r\n\r\n`
  if (path === '/hang') return
  if (path === '/reset') return leave(line, 'reset')
  if (path === '/fin') return leave(line, 'fin')
  if (path === '/die') return die()
  if (path === '/junk') return stream.end('SSH-2.0-OpenSSH_9.2\r\n')
  if (path === '/part') {
    stream.write(headOf(200, 10_000) + 'x'.repeat(1_000))
    setTimeout(() => leave(line, query.get('by')), 60)
    return
  }
  if (path === '/status') stream.write(`${headOf(Number(query.get('code')), 2)}no`)
  else stream.write(`${headOf(200, 2)}ok`)
  rest()
}

/**
 * Closes without a word, the rest of the upload unread: the kernel makes that a reset (RFC 1122 §4.2.2.13).
 *
 * @param {Line} line
 */
function unread({ stream, raw }) {
  stream.pause()
  setTimeout(() => raw.destroy(), 50)
}
