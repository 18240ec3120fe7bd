/** Errors of node:net, node:tls, node:http, node:http2, node:dns and node:zlib, made on real sockets and then named. */

import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { createSecureContext } from 'node:tls'
import zlib from 'node:zlib'
import { describe } from 'vitest'
import { certificates } from '../../src/testing/certificates.js'
import {
  byHttp,
  byHttp2,
  byHttps,
  byNet,
  byTls,
  closedPort,
  errorOf,
  fin,
  onData,
  rst,
  says,
  silence,
  thrown,
  withNameServer,
  withPeer,
  withTls,
} from './provoke.js'
import { walk } from './walk.js'

const lookupOfThree = ((_host: string, _options: object, done: (error: null, all: object[]) => void) =>
  done(
    null,
    ['127.0.0.1', '127.0.0.2', '::1'].map((address) => ({ address, family: net.isIP(address) })),
  )) as unknown as net.LookupFunction

const refused = { kind: 'refused', phase: 'connect', delivery: 'unsent', code: 'ECONNREFUSED' } as const
describe('connect', () =>
  walk([
    ['nobody listens', async () => byNet(await closedPort()), { ...refused, syscall: 'connect' }],
    [
      'nobody listens on any of several addresses',
      async () => errorOf(net.connect({ port: await closedPort(), host: 'three.test', lookup: lookupOfThree })),
      { ...refused, syscall: 'connect' },
    ],
    [
      'no such Unix socket',
      () => errorOf(net.connect('/nowhere/offhook.sock')),
      { kind: 'refused', phase: 'connect', delivery: 'unsent', code: 'ENOENT' },
    ],
    [
      'a local address that is not of this host',
      async () => errorOf(net.connect({ port: await closedPort(), host: '127.0.0.1', localAddress: '192.0.2.1' })),
      { kind: 'local-resource', phase: 'connect', delivery: 'unsent', code: 'EADDRNOTAVAIL' },
    ],
    [
      'a datagram to a port that nobody has',
      async () => {
        const socket = createSocket('udp4')
        const port = await closedPort()
        await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve))
        socket.send('hello')
        return errorOf(socket).finally(() => socket.close())
      },
      { kind: 'refused', phase: 'wait', delivery: 'unknown', code: 'ECONNREFUSED', syscall: 'recvmsg' },
    ],
  ]))

const ask = (server: string) =>
  new Promise((resolve) => {
    const resolver = new Resolver({ timeout: 60, tries: 1 })
    resolver.setServers([server])
    resolver.resolve4('name.test', (error) => resolve(error))
  })
const dns = { kind: 'dns', phase: 'dns', delivery: 'unsent' } as const
describe('name resolution', () =>
  walk([
    ['NXDOMAIN', () => withNameServer(3, ask), { ...dns, temporary: false, code: 'ENOTFOUND' }],
    ['no data', () => withNameServer(0, ask), { ...dns, temporary: false, code: 'ENODATA' }],
    ['SERVFAIL', () => withNameServer(2, ask), { ...dns, temporary: true, code: 'ESERVFAIL' }],
    ['REFUSED', () => withNameServer(5, ask), { ...dns, temporary: true, code: 'EREFUSED' }],
    ['a silent resolver', () => withNameServer(undefined, ask), { ...dns, temporary: true, code: 'ETIMEOUT' }],
    ['no resolver', () => ask('127.0.0.1:1'), { ...dns, temporary: true, code: 'ECONNREFUSED' }],
    [
      'a look-up that returns rubbish',
      () => {
        const lookup = ((
          _host: string,
          _options: object,
          done: (error: null, address: unknown, family: number) => void,
        ) => done(null, 'rubbish', 4)) as unknown as net.LookupFunction
        return errorOf(net.connect({ port: 1, host: 'rubbish.test', lookup, autoSelectFamily: false }))
      },
      { ...dns, temporary: false, permanent: true, code: 'ERR_INVALID_IP_ADDRESS' },
    ],
  ]))

const certificate = { kind: 'tls', phase: 'tls', delivery: 'unsent', tls: 'certificate', permanent: true } as const
const mismatch = { kind: 'tls', phase: 'tls', delivery: 'unknown', tls: 'mismatch', permanent: true } as const
const plainHttp = says('HTTP/1.1 400 Bad Request\r\n\r\n')
const alert = (code: number) => onData((socket) => socket.write(Buffer.from([21, 3, 3, 0, 2, 2, code])))
describe('TLS', () =>
  walk([
    ['FIN in the handshake', () => withPeer(fin, byTls), { kind: 'closed', phase: 'tls', delivery: 'unsent' }],
    ['the same by node:https', () => withPeer(fin, byHttps), { kind: 'closed', phase: 'tls', delivery: 'unsent' }],
    // Read in the handshake or after it: the error does not say.
    ['RST in the handshake', () => withPeer(rst, byTls), { kind: 'reset', delivery: 'unknown' }],
    [
      'self-signed',
      () => withTls(certificates['self-signed'], byTls),
      { ...certificate, code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    ],
    ['expired', () => withTls(certificates.expired, byTls), { ...certificate, code: 'CERT_HAS_EXPIRED' }],
    [
      'wrong name',
      () => withTls(certificates['wrong-name'], byTls),
      { ...certificate, code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    ],
    ['wrong name by node:https', () => withTls(certificates['wrong-name'], byHttps), certificate],
    ['plain HTTP on the port', () => withPeer(plainHttp, byTls), mismatch],
    ['plain HTTP by node:https', () => withPeer(plainHttp, byHttps), { ...mismatch, code: 'EPROTO' }],
    [
      'no common version',
      () => withTls({ maxVersion: 'TLSv1.2' }, (port) => byTls(port, { minVersion: 'TLSv1.3' })),
      mismatch,
    ],
    [
      'no common version by node:https',
      () => withTls({ maxVersion: 'TLSv1.2' }, (port) => byHttps(port, { minVersion: 'TLSv1.3' })),
      mismatch,
    ],
    [
      'no common cipher',
      () => withTls({ maxVersion: 'TLSv1.2' }, (port) => byTls(port, { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' })),
      mismatch,
    ],
    [
      'no common application protocol',
      () => withTls({ ALPNProtocols: ['here'] }, (port) => byTls(port, { ALPNProtocols: ['there'] })),
      mismatch,
    ],
    [
      'a client certificate is missing',
      () => withTls({ requestCert: true, minVersion: 'TLSv1.3' }, (port) => byTls(port)),
      { kind: 'tls', phase: 'tls', delivery: 'unknown', tls: 'certificate', permanent: true },
    ],
    ['alert certificate_unknown', () => withPeer(alert(46), byTls), { ...mismatch, tls: 'certificate' }],
    ['alert unrecognized_name', () => withPeer(alert(112), byTls), { ...mismatch, tls: 'alert' }],
    ['alert internal_error', () => withPeer(alert(80), byTls), { ...mismatch, tls: 'alert', permanent: false }],
    [
      'alert internal_error by node:https',
      () => withPeer(alert(80), byHttps),
      { ...mismatch, tls: 'alert', permanent: false },
    ],
  ]))

const head = 'HTTP/1.1 200 OK\r\n'
const closed = { kind: 'closed', code: 'ECONNRESET' } as const
describe('node:http', () =>
  walk([
    ['FIN instead of an answer', () => withPeer(fin, byHttp), { ...closed, phase: 'wait', delivery: 'unknown' }],
    ['RST instead of an answer', () => withPeer(rst, byHttp), { kind: 'reset', phase: 'wait', delivery: 'unknown' }],
    [
      'FIN in a counted body',
      () => withPeer(says(`${head}content-length: 9\r\n\r\nabc`), byHttp),
      { ...closed, phase: 'body', delivery: 'partial' },
    ],
    [
      'FIN in a chunk',
      () => withPeer(says(`${head}transfer-encoding: chunked\r\n\r\n9\r\nabc`), byHttp),
      { ...closed, phase: 'body', delivery: 'partial' },
    ],
    [
      'garbage',
      () => withPeer(says('what?\r\n\r\n'), byHttp),
      { kind: 'protocol', phase: 'head', delivery: 'partial' },
    ],
    [
      'a chunk size that is none',
      () => withPeer(says(`${head}transfer-encoding: chunked\r\n\r\nzz\r\n`), byHttp),
      { kind: 'protocol', phase: 'body', delivery: 'partial', code: 'HPE_INVALID_CHUNK_SIZE' },
    ],
    [
      'a head without end',
      () => withPeer(says(`${head}x: ${'y'.repeat(100_000)}`), byHttp),
      { kind: 'protocol', phase: 'head', delivery: 'partial', permanent: true, code: 'HPE_HEADER_OVERFLOW' },
    ],
    [
      'an abort',
      () => byHttp(1, { signal: AbortSignal.abort() }),
      { kind: 'unknown', aborted: true, code: 'ABORT_ERR' },
    ],
    [
      'a time-out of the caller',
      () => withPeer(silence, (port) => byHttp(port, { signal: AbortSignal.timeout(20) })),
      { kind: 'timeout', phase: 'call' },
    ],
  ]))

const stream = { phase: 'wait', delivery: 'unknown' } as const
describe('node:http2', () =>
  walk([
    [
      'PROTOCOL_ERROR',
      () => byHttp2((s) => s.close(1)),
      { ...stream, kind: 'protocol', phase: 'head', http2: 'PROTOCOL_ERROR' },
    ],
    ['INTERNAL_ERROR', () => byHttp2((s) => s.close(2)), { ...stream, kind: 'reset', http2: 'INTERNAL_ERROR' }],
    [
      'REFUSED_STREAM',
      () => byHttp2((s) => s.close(7)),
      { kind: 'rejected', delivery: 'rejected', http2: 'REFUSED_STREAM' },
    ],
    ['ENHANCE_YOUR_CALM', () => byHttp2((s) => s.close(11)), { ...stream, kind: 'reset', http2: 'ENHANCE_YOUR_CALM' }],
    ['HTTP_1_1_REQUIRED', () => byHttp2((s) => s.close(13)), { ...stream, kind: 'reset', http2: 'HTTP_1_1_REQUIRED' }],
    [
      'the session ends with INTERNAL_ERROR',
      () => byHttp2((s) => s.session?.goaway(2)),
      { ...stream, kind: 'reset', http2: 'INTERNAL_ERROR' },
    ],
    // The code of a session says nothing about one stream.
    [
      'the session ends with REFUSED_STREAM',
      () => byHttp2((s) => s.session?.goaway(7)),
      { ...stream, kind: 'closed', http2: 'REFUSED_STREAM' },
    ],
    [
      'the session never came to be',
      async () => {
        const session = http2.connect(`http://127.0.0.1:${await closedPort()}`)
        session.on('error', () => undefined)
        return errorOf(session.request({ ':path': '/' }))
      },
      refused,
    ],
  ]))

const undecodable = { kind: 'protocol', phase: 'body', delivery: 'partial' } as const
const decoded = (decode: (data: Buffer, done: (error: Error | null) => void) => void, data: Buffer) =>
  new Promise((resolve) => decode(data, resolve))
const text = Buffer.from('hello, this is no compressed data')
describe('content codings', () =>
  walk([
    ['gzip', () => decoded(zlib.gunzip, text), { ...undecodable, code: 'Z_DATA_ERROR' }],
    [
      'gzip, cut',
      () => decoded(zlib.gunzip, zlib.gzipSync(text).subarray(0, 20)),
      { ...undecodable, code: 'Z_BUF_ERROR' },
    ],
    ['deflate', () => decoded(zlib.inflate, text), { ...undecodable, code: 'Z_DATA_ERROR' }],
    ['brotli', () => decoded(zlib.brotliDecompress, text), undecodable],
    [
      'zstd, where Node has it',
      () => decoded((zlib as { zstdDecompress?: typeof zlib.gunzip }).zstdDecompress ?? zlib.gunzip, text),
      undecodable,
    ],
  ]))

const invalid = {
  kind: 'not-admitted',
  phase: 'admit',
  delivery: 'unsent',
  admission: 'invalid',
  permanent: true,
} as const
describe('input that cannot be sent', () =>
  walk([
    ['a URL', () => thrown(() => new URL('nowhere')), { ...invalid, code: 'ERR_INVALID_URL' }],
    ['a scheme', () => thrown(() => http.request('ftp://127.0.0.1')), { ...invalid, code: 'ERR_INVALID_PROTOCOL' }],
    ['a path', () => thrown(() => http.request({ path: '/a b' })), { ...invalid, code: 'ERR_UNESCAPED_CHARACTERS' }],
    ['a method', () => thrown(() => http.request({ method: 'A B' })), { ...invalid, code: 'ERR_INVALID_HTTP_TOKEN' }],
    ['a header', () => thrown(() => http.request({ headers: { a: '\n' } })), { ...invalid, code: 'ERR_INVALID_CHAR' }],
    ['a port', () => thrown(() => net.connect(70_000)), { ...invalid, code: 'ERR_SOCKET_BAD_PORT' }],
    [
      'a TLS version',
      () => thrown(() => createSecureContext({ minVersion: 'TLSv9' as never })),
      { ...invalid, code: 'ERR_TLS_INVALID_PROTOCOL_VERSION' },
    ],
    ['a TLS key', () => thrown(() => createSecureContext({ key: 'no key' })), invalid],
  ]))
