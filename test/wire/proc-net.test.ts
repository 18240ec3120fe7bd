/** The readers of /proc/net: what real kernels print, and what none of them does. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findRow, readNamedLines, readPairedLines, rowKey } from '../../src/wire/proc-net.js'

const snmp = `Ip: Forwarding DefaultTTL InReceives OutNoRoutes
Ip: 2 64 26224632 7
Icmp: InMsgs InErrors InDestUnreachs OutDestUnreachs
Icmp: 83 0 83 81
IcmpMsg: InType3 OutType3
IcmpMsg: 83 81
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens AttemptFails EstabResets OutRsts
Tcp: 1 200 120000 -1 376877 3700 205082 115601
`

const netstat = `TcpExt: SyncookiesSent TCPAbortOnTimeout TCPRetransFail
TcpExt: 0 12 3
IpExt: InNoRoutes InOctets
IpExt: 1 18446744073709551615
`

describe('snmp and netstat', () => {
  const samples: [text: string, name: string, value: number | undefined][] = [
    [snmp, 'Ip.OutNoRoutes', 7],
    [snmp, 'Icmp.InDestUnreachs', 83],
    [snmp, 'IcmpMsg.OutType3', 81],
    [snmp, 'Tcp.EstabResets', 205_082],
    // No limit is no count.
    [snmp, 'Tcp.MaxConn', undefined],
    [netstat, 'TcpExt.TCPAbortOnTimeout', 12],
    [netstat, 'IpExt.InOctets', 2 ** 64],
    ['Tcp: A B C\nTcp: 1 2\n', 'Tcp.B', 2],
    ['Tcp: A B C\nTcp: 1 2\n', 'Tcp.C', undefined],
    ['Tcp: A\nUdp: 1\n', 'Tcp.A', undefined],
    ['Tcp: A\nUdp: B\nUdp: 5\n', 'Udp.B', 5],
    ['Tcp: A\n', 'Tcp.A', undefined],
    ['Tcp: A\nTcp: x\n', 'Tcp.A', undefined],
    ['', 'Tcp.A', undefined],
  ]
  test.each(samples)('%j: %s is %s', (text, name, value) => {
    expect(readPairedLines(text).get(name)).toBe(value)
  })

  test('values are not taken for names', () => {
    expect([...readPairedLines('Tcp: 1 2\nTcp: 3 4\n')]).toEqual([])
  })

  test('every counter that is printed is read', () => {
    const counter = fc.tuple(fc.stringMatching(/^[A-Z][A-Za-z0-9]{0,20}$/), fc.nat())
    const line = fc.tuple(
      fc.stringMatching(/^[A-Z][a-z]{1,8}$/),
      fc.uniqueArray(counter, { selector: ([name]) => name, minLength: 1 }),
    )
    fc.assert(
      fc.property(fc.uniqueArray(line, { selector: ([prefix]) => prefix }), (lines) => {
        const text = lines
          .map(
            ([prefix, counters]) =>
              `${prefix}: ${counters.map(([name]) => name).join(' ')}\n${prefix}: ${counters.map(([, value]) => value).join(' ')}\n`,
          )
          .join('')
        const read = readPairedLines(text)
        for (const [prefix, counters] of lines)
          for (const [name, value] of counters) expect(read.get(`${prefix}.${name}`)).toBe(value)
      }),
    )
  })
})

describe('snmp6', () => {
  test('the protocol is told from the name', () => {
    const read = readNamedLines(
      'Ip6OutNoRoutes                  \t4\nIcmp6InDestUnreachs             \t2\nUdpLite6InErrors 1\nnonsense\nIp6X -1\n',
    )
    expect(Object.fromEntries(read)).toEqual({ 'Ip6.OutNoRoutes': 4, 'Icmp6.InDestUnreachs': 2 })
  })
})

// Printed by Linux 6.18 on x86.
const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:A949 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1071194 1 000000009cd9d46d 100 0 0 10 0
   1: 0100007F:B04A 0100007F:1F90 01 00000041:00000000 01:00000015 00000003     0        0 1071201 2 0000000011a0c3f1 20 4 30 10 -1
   2: 0100007F:B04C 0100007F:1F90 08 00000000:00000001 00:00000000 00000000     0        0 1071202 1 0000000011a0c3f2 20 4 30 10 -1
   3: 0200000A:C350 0101A8C0:01BB 02 00000001:00000000 01:000002A8 00000002     0        0 1071203 1 0000000011a0c3f3 100 0 0 10 -1
   4: 0200000A:C352 0101A8C0:01BB 01 002B5C00:00000000 04:000000F2 00000000     0        0 1071204 1 0000000011a0c3f4 20 4 30 10 -1
`

const tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:BB4A 00000000000000000000000001000000:1F90 01 00000000:00000000 02:00000815 00000000     0        0 1080312 2 0000000011a0c3f5 20 0 0 10 -1
   3: 00000000000000000000000001000000:BB4C 00000000000000000000000001000000:1F90 01 00000000:00000000 02:00000015 00000000     0       12 1080313 2 0000000011a0c3f8 20 0 0 10 -1
   1: B80D0120000000000000000002000000:C001 B80D0120000000000000000001000000:01BB 05 00000000:00000000 00:00000000 00000000     0        0 0 3 0000000011a0c3f6
   2: 0000000000000000FFFF00000100007F:C002 0000000000000000FFFF00000200007F:0050 06 00000000:00000000 03:00000B2A 00000000     0        0 0 3 0000000011a0c3f7
`

describe('tcp and tcp6', () => {
  const rows: [table: string, ends: Parameters<typeof rowKey>[0], row: object | undefined][] = [
    [
      tcp,
      { localPort: 0xb04a, remoteAddress: '127.0.0.1', remotePort: 8080 },
      { state: 'established', unacknowledged: 65, unread: 0, timer: 'retransmit', retransmits: 3 },
    ],
    [
      tcp,
      { localPort: 0xb04c, remoteAddress: '127.0.0.1', remotePort: 8080 },
      { state: 'close-wait', unacknowledged: 0, unread: 1, timer: 'none', retransmits: 0 },
    ],
    [
      tcp,
      { localPort: 0xc350, remoteAddress: '192.168.1.1', remotePort: 443 },
      { state: 'syn-sent', unacknowledged: 1, unread: 0, timer: 'retransmit', retransmits: 2 },
    ],
    [
      tcp,
      { localPort: 0xc352, remoteAddress: '192.168.1.1', remotePort: 443 },
      { state: 'established', unacknowledged: 0x2b5c00, unread: 0, timer: 'zero-window', retransmits: 0 },
    ],
    [tcp, { localPort: 0xc353, remoteAddress: '192.168.1.1', remotePort: 443 }, undefined],
    // The other end's row is not ours.
    [tcp, { localPort: 8080, remoteAddress: '127.0.0.1', remotePort: 0xb04a }, undefined],
    [
      tcp6,
      { localPort: 0xbb4a, remoteAddress: '::1', remotePort: 8080 },
      { state: 'established', unacknowledged: 0, unread: 0, timer: 'keepalive', retransmits: 0 },
    ],
    // Twelve probes without an answer: the kernel counts them in decimal, beside retransmissions.
    [
      tcp6,
      { localPort: 0xbb4c, remoteAddress: '::1', remotePort: 8080 },
      { state: 'established', unacknowledged: 0, unread: 0, timer: 'keepalive', retransmits: 12 },
    ],
    [
      tcp6,
      { localPort: 0xc001, remoteAddress: '2001:db8::1', remotePort: 443 },
      { state: 'fin-wait', unacknowledged: 0, unread: 0, timer: 'none', retransmits: 0 },
    ],
    [
      tcp6,
      { localPort: 0xc001, remoteAddress: '2001:0DB8:0:0:0:0:0:1', remotePort: 443 },
      { state: 'fin-wait', unacknowledged: 0, unread: 0, timer: 'none', retransmits: 0 },
    ],
    [
      tcp6,
      { localPort: 0xc002, remoteAddress: '::ffff:127.0.0.2', remotePort: 80 },
      { state: 'time-wait', unacknowledged: 0, unread: 0, timer: 'time-wait', retransmits: 0 },
    ],
  ]
  test.each(rows)('in %#, of %j', (table, ends, row) => {
    const key = rowKey(ends, true)
    expect(key).toBeTypeOf('string')
    expect(findRow(table, key as string)).toEqual(row)
  })

  test('big-endian machines write addresses the other way round', () => {
    expect(rowKey({ localPort: 80, remoteAddress: '10.0.0.2', remotePort: 443 }, false)).toBe(':0050 0A000002:01BB ')
    expect(rowKey({ localPort: 80, remoteAddress: '10.0.0.2', remotePort: 443 }, true)).toBe(':0050 0200000A:01BB ')
  })

  test.each(['fe80::1%eth0', '::', '1::', '::1.2.3.4', 'a:b:c:d:e:f:1.2.3.4', '1:2:3:4:5:6:7:8', '1::8'])(
    '%s has sixteen bytes',
    (remoteAddress) => {
      const key = rowKey({ localPort: 1, remoteAddress, remotePort: 2 }, true)
      expect(key).toMatch(/^:0001 [\dA-F]{32}:0002 $/)
    },
  )

  test('a zone is no part of an address', () => {
    const key = (remoteAddress: string) => rowKey({ localPort: 1, remoteAddress, remotePort: 2 }, true)
    expect(key('fe80::1%eth0')).toBe(key('fe80::1'))
  })

  test.each(['', 'localhost', '1.2.3', '::g', '/tmp/socket'])('%j is no address', (remoteAddress) => {
    expect(rowKey({ localPort: 1, remoteAddress, remotePort: 2 }, true)).toBeUndefined()
  })

  test('each IPv6 address is found by each of its spellings', () => {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
      minLength: 8,
      maxLength: 8,
    })
    fc.assert(
      fc.property(groups, (eight) => {
        const full = eight.map((group) => group.toString(16)).join(':')
        const short = new URL(`http://[${full}]/`).hostname.slice(1, -1)
        const key = (remoteAddress: string) => rowKey({ localPort: 1, remoteAddress, remotePort: 2 }, false)
        const hex = eight
          .map((group) => group.toString(16).padStart(4, '0'))
          .join('')
          .toUpperCase()
        expect(key(full)).toBe(`:0001 ${hex}:0002 `)
        expect(key(short)).toBe(`:0001 ${hex}:0002 `)
      }),
    )
  })

  test('an unknown state and an unknown timer are no reason to fail', () => {
    const line = '   1: 0100007F:0001 0100007F:0002 0F 00000000:00000000 09:00000000 00000000 0 0\n'
    expect(findRow(line, ':0001 0100007F:0002 ')).toEqual({
      state: 'other',
      unacknowledged: 0,
      unread: 0,
      retransmits: 0,
    })
  })
})

test('no text makes a reader fail', () => {
  const scraps = fc.constantFrom(
    'Tcp:',
    ' ',
    '\n',
    ':',
    '0100007F:0050',
    ' 01 ',
    '00000000:00000000',
    '-1',
    'Ip6',
    '\u0000',
    'EstabResets',
    '99999999999999999999999',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(scraps).map((list) => list.join('')),
  )
  fc.assert(
    fc.property(text, text, (given, key) => {
      for (const read of [readPairedLines, readNamedLines])
        for (const value of read(given).values()) expect(value).toBeGreaterThanOrEqual(0)
      const row = findRow(given, key)
      expect(row === undefined || typeof row.state === 'string').toBe(true)
    }),
  )
})
