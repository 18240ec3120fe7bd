/** What the options of dial, redial, datagram and its requests refuse, and how they say so. */

import type { Socket } from 'node:net'
import { type DatagramOptions, type DialOptions, datagram, dial, type RedialOptions, redial } from 'offhook/socket'
import { describe, expect, test } from 'vitest'

const refused: readonly (readonly [unknown, string])[] = [
  [undefined, 'options must be a plain object, but is undefined'],
  [{}, 'options.port must be given, unless options.path is, but is undefined'],
  [{ port: 0 }, 'options.port must be an integer from 1 to 65535, but is 0'],
  [{ port: '80' }, 'options.port must be an integer from 1 to 65535, but is the string "80"'],
  [{ port: 80, hst: 'x' }, 'options.hst is not an option: did you mean host?'],
  [{ port: 80, host: '' }, 'options.host must be a string that is not empty, but is the string ""'],
  [{ port: 80, host: 7 }, 'options.host must be a string that is not empty, but is 7'],
  [{ path: '/x', port: 80 }, 'options.port must be left out, since options.path is given, but is 80'],
  [{ path: '/x', host: 'y' }, 'options.host must be left out, since options.path is given, but is the string "y"'],
  [{ port: 80, tls: 'yes' }, 'options.tls must be true, false or options of node:tls, but is the string "yes"'],
  [{ port: 80, family: 5 }, 'options.family must be 0, 4 or 6, but is 5'],
  [{ port: 80, lookup: {} }, 'options.lookup must be a function, but is an object'],
  [{ port: 80, localAddress: 1 }, 'options.localAddress must be a string that is not empty, but is 1'],
  [{ port: 80, keepAlive: 0 }, 'options.keepAlive must be a number from 1 to 2147483647, but is 0'],
  [{ port: 80, keepAlive: true }, 'options.keepAlive must be a number from 1 to 2147483647, but is true'],
  [{ port: 80, noDelay: 1 }, 'options.noDelay must be true or false, but is 1'],
  [{ port: 80, allowHalfOpen: 'no' }, 'options.allowHalfOpen must be true or false, but is the string "no"'],
  [{ port: 80, timeout: -1 }, 'timeout must be a number from 1 to 2147483647, but is -1'],
  [{ port: 80, timeout: { conect: 1 } }, 'timeout.conect is not an option: did you mean connect?'],
  [{ port: 80, timeout: { total: Number.NaN } }, 'timeout.total must be a number from 1 to 2147483647, but is NaN'],
  [{ port: 80, retry: true }, 'retry must be a plain object, or false to switch it off, but is true'],
  [{ port: 80, retry: { attempts: 0 } }, 'retry.attempts must be an integer from 1 to 100, but is 0'],
  [
    { port: 80, timeout: 40 },
    'retry.backoff.base must be below timeout.total, which is 40: no retry could ever be made, but is 50',
  ],
  [{ port: 80, signal: {} }, 'options.signal must be an AbortSignal, but is an object'],
  [{ port: 80, clock: {} }, 'options.clock must be an object with a method now(), but is an object'],
  [{ port: 80, random: 4 }, 'options.random must be a function, but is 4'],
]

describe('dial and redial refuse', () => {
  for (const [options, message] of refused) {
    test(message, async () => {
      await expect(dial(options as DialOptions)).rejects.toThrow(new TypeError(message))
      expect(() => redial(options as RedialOptions<Socket>)).toThrow(new TypeError(message))
    })
  }
})

const open = () => ({})
const refusedByRedial: readonly (readonly [unknown, string])[] = [
  [{ port: 80, provenAfter: -1 }, 'options.provenAfter must be a number from 0 to 2147483647, but is -1'],
  [{ port: 80, heartbeat: 5 }, 'heartbeat must be a plain object, but is 5'],
  [{ port: 80, heartbeat: {} }, 'heartbeat.every must be a number of milliseconds, but is undefined'],
  [{ port: 80, heartbeat: { every: 5 } }, 'heartbeat.beat must be a function, but is undefined'],
  [{ open: 7 }, 'options.open must be a function, but is 7'],
  [{ open, port: 80 }, 'options.port is not an option'],
  [{ open, name: '' }, 'options.name must be a string that is not empty, but is the string ""'],
  [{ open, timeout: 500 }, 'timeout must be { connect }'],
]

describe('redial refuses', () => {
  for (const [options, message] of refusedByRedial)
    test(message, () => expect(() => redial(options as RedialOptions<Socket>)).toThrow(message))
})

const refusedByDatagram: readonly (readonly [unknown, string])[] = [
  [{}, 'options.port must be given, but is undefined'],
  [{ port: 53, path: '/x' }, 'options.path is not an option'],
  [{ port: 53, family: '4' }, 'options.family must be 0, 4 or 6, but is the string "4"'],
  [{ port: 53, localPort: -1 }, 'options.localPort must be an integer from 0 to 65535, but is -1'],
  [{ port: 53, connected: 'yes' }, 'options.connected must be true or false, but is the string "yes"'],
  [{ port: 53, queue: 0 }, 'options.queue must be an integer from 1 to 1000000, but is 0'],
  [{ port: 53, onError: 1 }, 'options.onError must be a function, but is 1'],
]

const refusedByRequest: readonly (readonly [unknown, unknown, string])[] = [
  [7, {}, 'message must be a string, a Buffer or another Uint8Array, but is 7'],
  ['x', { idempotent: 'yes' }, 'request.idempotent must be true or false, but is the string "yes"'],
  ['x', { match: /x/ }, 'request.match must be a function, but is an instance of a class'],
  ['x', { signal: 1 }, 'request.signal must be an AbortSignal, but is 1'],
  ['x', { timeout: 0 }, 'timeout.total must be a number from 1 to 2147483647, but is 0'],
  ['x', { timeout: { attempt: 9, total: 5 } }, 'timeout.attempt must be at most timeout.total, which is 5'],
  ['x', { timeuot: 5 }, 'request.timeuot is not an option: did you mean timeout?'],
]

describe('datagram refuses', () => {
  for (const [options, message] of refusedByDatagram)
    test(message, () => expect(datagram(options as DatagramOptions)).rejects.toThrow(message))
  for (const [request, options, message] of refusedByRequest) {
    test(`as a request: ${message}`, async () => {
      await using line = await datagram({ host: '127.0.0.1', port: 9 })
      await expect(line.request(request as string, options as object)).rejects.toThrow(message)
    })
  }
  test('a message that is none', async () => {
    await using line = await datagram({ host: '127.0.0.1', port: 9 })
    await expect(line.send({} as string)).rejects.toThrow('message must be a string, a Buffer or another Uint8Array')
  })
})
