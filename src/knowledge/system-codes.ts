/**
 * Codes of the operating system (libuv's names for them). One code means different things in different system calls:
 * `connect ETIMEDOUT` was never sent, `read ETIMEDOUT` may have been executed.
 */

import { type CodeRow, dialling, invalid } from './code-row.js'

const connect = 'https://man7.org/linux/man-pages/man2/connect.2.html'
const tcp = 'https://man7.org/linux/man-pages/man7/tcp.7.html'
const unix = 'https://man7.org/linux/man-pages/man7/unix.7.html'
const errno = 'https://man7.org/linux/man-pages/man3/errno.3.html'
const icmp = 'https://www.rfc-editor.org/rfc/rfc1122#section-4.2.3.9'

const noWay = ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'ENETRESET', 'ENONET', 'ENOPROTOOPT']
const shortage = ['EADDRNOTAVAIL', 'EADDRINUSE', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN']

export const systemCodes: readonly CodeRow[] = [
  // Reset and closed.
  {
    codes: ['ECONNRESET', 'ECONNABORTED', 'EPIPE'],
    at: ['connect'],
    says: { kind: 'reset', ...dialling },
    source: connect,
  },
  { codes: ['ECONNRESET'], at: ['read'], says: { kind: 'reset', mute: true }, source: errno },
  // A RST, or a FIN and then a RST that met our bytes: Linux says EPIPE for the second, BSD ECONNRESET.
  {
    codes: ['ECONNRESET', 'EPIPE', 'EPROTOTYPE'],
    at: ['write'],
    says: { kind: 'reset', phase: 'send', mute: true },
    source: `${tcp}; libuv src/unix/stream.c`,
  },
  // Without a system call it is Node's own word for a FIN that came too early: "socket hang up".
  { codes: ['ECONNRESET'], says: { kind: 'closed', mute: true }, source: 'node:_http_client, node:_tls_wrap' },
  // Node itself, on a write after the other side's FIN: "This socket has been ended by the other party".
  { codes: ['EPIPE'], says: { kind: 'closed', phase: 'send', mute: true }, source: 'node:net writeAfterFIN' },
  { codes: ['ECONNABORTED'], at: ['read'], says: { kind: 'reset', mute: true }, source: tcp },
  { codes: ['ECONNABORTED'], at: ['write'], says: { kind: 'reset', phase: 'send', mute: true }, source: tcp },
  { codes: ['EOF'], at: ['read'], says: { kind: 'closed', mute: true }, source: 'libuv UV_EOF' },
  { codes: ['ENOTCONN', 'ESHUTDOWN'], at: ['read'], says: { kind: 'closed', mute: true }, source: errno },
  {
    codes: ['ENOTCONN', 'ESHUTDOWN'],
    at: ['write'],
    says: { kind: 'closed', phase: 'send', mute: true },
    source: errno,
  },

  // Refused.
  { codes: ['ECONNREFUSED'], says: { kind: 'refused', ...dialling }, source: connect },
  // Nobody listens on a Unix socket that is not there, or on a file that is none.
  { codes: ['ENOENT', 'ENOTSOCK'], at: ['connect'], says: { kind: 'refused', ...dialling }, source: unix },
  // On a connection that stands: an ICMP error that TCP had remembered, so a filter on the way, not the peer's port.
  { codes: ['ECONNREFUSED'], at: ['read'], says: { kind: 'unreachable', phase: 'wait' }, source: icmp },
  { codes: ['ECONNREFUSED'], at: ['write'], says: { kind: 'unreachable', phase: 'send' }, source: icmp },
  // ICMP port unreachable, for a datagram sent before this call; Winsock calls it a reset.
  {
    codes: ['ECONNREFUSED', 'ECONNRESET'],
    at: ['datagram'],
    says: { kind: 'refused', phase: 'wait' },
    source: 'https://man7.org/linux/man-pages/man7/udp.7.html; libuv src/win/udp.c',
  },

  // Timed out by the kernel.
  { codes: ['ETIMEDOUT'], at: ['connect'], says: { kind: 'timeout', ...dialling }, source: connect },
  { codes: ['ETIMEDOUT'], at: ['read'], says: { kind: 'timeout', phase: 'wait' }, source: tcp },
  { codes: ['ETIMEDOUT'], at: ['write'], says: { kind: 'timeout', phase: 'send' }, source: tcp },
  { codes: ['ETIMEDOUT'], says: { kind: 'timeout' }, source: errno },

  // No way there.
  { codes: noWay, at: ['connect'], says: { kind: 'unreachable', ...dialling }, source: connect },
  { codes: noWay, at: ['read'], says: { kind: 'unreachable', phase: 'wait' }, source: icmp },
  { codes: noWay, at: ['write'], says: { kind: 'unreachable', phase: 'send' }, source: icmp },
  { codes: noWay, at: ['datagram'], says: { kind: 'unreachable', phase: 'wait' }, source: icmp },
  { codes: noWay, says: { kind: 'unreachable' }, source: errno },

  // This host.
  { codes: shortage, at: ['connect'], says: { kind: 'local-resource', ...dialling }, source: connect },
  { codes: shortage, at: ['read', 'write', 'datagram', 'elsewhere'], says: { kind: 'local-resource' }, source: errno },
  { codes: shortage, says: { kind: 'local-resource' }, source: errno },
  // A local filter or a route of type prohibit (EACCES) or blackhole (EINVAL); a Unix socket without permission.
  {
    codes: ['EPERM', 'EACCES', 'EINVAL'],
    at: ['connect'],
    says: { kind: 'local-resource', ...dialling },
    source: `${connect}; ip-route(8)`,
  },
  // A local filter that drops what this very call was to send.
  {
    codes: ['EPERM', 'EACCES'],
    at: ['datagram'],
    says: { kind: 'local-resource', phase: 'send', delivery: 'unsent' },
    source: 'https://man7.org/linux/man-pages/man2/send.2.html',
  },
  { codes: ['EPERM', 'EACCES'], at: ['write'], says: { kind: 'local-resource', phase: 'send' }, source: errno },
  {
    codes: ['EAFNOSUPPORT', 'EPROTONOSUPPORT'],
    at: ['connect'],
    says: { kind: 'local-resource', ...dialling, permanent: true },
    source: connect,
  },
  {
    codes: ['EMSGSIZE'],
    at: ['datagram'],
    says: { ...invalid, phase: 'send' },
    source: 'https://man7.org/linux/man-pages/man2/send.2.html',
  },
]
