/** One UDP socket: opened, tied to its peer, and watched for who waits for which message. */

import dgram, { type RemoteInfo, type Socket } from 'node:dgram'
import { isIP } from 'node:net'
import type { Clock } from '../clock.js'
import type { DialledAddresses } from '../wire/address-book.js'
import type { Exchange } from '../wire/exchange.js'
import { SocketRecord } from '../wire/socket-record.js'
import type { DatagramPlan } from './datagram-options.js'
import { OneLine } from './one-line.js'

/** Counts the bytes of datagrams, as the record of a connection counts those of its socket. */
export class DatagramRecord extends SocketRecord {
  written = 0

  override get bytesWritten(): number {
    return this.written
  }
}

/** An open socket. */
export interface OpenDatagram {
  readonly socket: Socket
  /** The place of all exchanges of one line. */
  readonly place: OneLine<DatagramRecord>
  /** Where datagrams go to. */
  readonly address: string
}

interface Address {
  readonly address: string
  readonly family: number
}

/** Looks the host up and opens a socket to the first of its addresses that there is a way to; rejects with the raw error. */
export async function openDatagram(
  plan: DatagramPlan,
  exchange: Exchange,
  tools: { readonly clock: Clock; readonly addresses: DialledAddresses },
): Promise<OpenDatagram> {
  const named = isIP(plan.host) === 0
  const record = new DatagramRecord(tools.clock, { secure: false, named })
  const place = new OneLine(record)
  exchange.assigned(place)
  const found = named ? await lookUp(plan, tools.addresses) : [{ address: plan.host, family: isIP(plan.host) }]
  record.dialPhase = 'connect'
  let failure: unknown
  for (const { address, family } of found) {
    record.dials(address, plan.port)
    try {
      const socket = await connect(plan, { address, family })
      record.localAddress = socket.address().address
      record.localPort = socket.address().port
      record.dialPhase = 'open'
      return { socket, place, address }
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

function lookUp({ host, family }: DatagramPlan, addresses: DialledAddresses): Promise<readonly Address[]> {
  return new Promise((resolve, reject) => {
    addresses.lookup(host, { all: true, family }, (error, found) => {
      if (error) reject(error)
      else resolve(found as unknown as Address[])
    })
  })
}

function connect(plan: DatagramPlan, { address, family }: Address): Promise<Socket> {
  const { port, localAddress, localPort, connected } = plan
  const socket = dgram.createSocket(family === 6 ? 'udp6' : 'udp4')
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      socket.close()
      reject(error)
    }
    const done = (error?: Error | null) => {
      socket.off('error', fail)
      if (error) fail(error)
      else resolve(socket)
    }
    socket.once('error', fail)
    socket.bind({ port: localPort, ...(localAddress !== undefined && { address: localAddress }) }, () => {
      if (connected) socket.connect(port, address, done as () => void)
      else done()
    })
  })
}

/** Hands the datagram to the kernel; rejects with the raw error when that refuses it. */
export function transmit({ socket, address }: OpenDatagram, plan: DatagramPlan, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null) => (error ? reject(error) : resolve())
    try {
      if (plan.connected) socket.send(bytes, done)
      else socket.send(bytes, plan.port, address, done)
    } catch (error) {
      reject(error)
    }
  })
}

/** Whether a message came from whom the line leads to. The kernel sees to that on a connected socket. */
export function isFromPeer({ address }: OpenDatagram, plan: DatagramPlan, from: RemoteInfo): boolean {
  return plan.connected || from.address === address
}
