// A name server that says one thing to every question.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'

const codes = { answer: 0, servfail: 2, nxdomain: 3 }

/**
 * @param {import('./far-side.mjs').FarSpec} spec
 * @returns {Promise<import('./far-http.js').Far>}
 */
export async function nameServer({ host, port, names = 'answer', to }) {
  const socket = createSocket('udp4')
  socket.on('message', (question, from) => {
    if (names === 'silent') return
    socket.send(reply(question, codes[names], names === 'answer' ? to?.host : undefined), from.port, from.address)
  })
  socket.bind(port ?? 53, host ?? '127.0.0.1')
  await once(socket, 'listening')
  return { port: socket.address().port }
}

/**
 * The question back with a code (RFC 1035 §4.1), and with an address where it asked for one of IPv4.
 *
 * @param {Buffer} question
 * @param {number} code
 * @param {string | undefined} address
 */
function reply(question, code, address) {
  const end = question.indexOf(0, 12) + 5
  const body = Buffer.from(question.subarray(0, end))
  const asksForA = body.readUInt16BE(end - 4) === 1
  const record =
    address !== undefined && asksForA
      ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)])
      : Buffer.alloc(0)
  body.writeUInt16BE(0x8180 | code, 2)
  body.writeUInt16BE(record.length > 0 ? 1 : 0, 6)
  body.writeUInt32BE(0, 8)
  return Buffer.concat([body, record])
}
