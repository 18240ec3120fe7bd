/** Clues in the error itself: its code and system call, and what a protocol said in so many words. */

import { redactLine } from '../failure/redact.js'
import { type Clue, endsAtProxy, type Look, look, settled } from './clue.js'
import { isDial, type Scene } from './scene.js'

const failure: Clue = {
  of: 'failure',
  look: (scene) => said(scene) ?? codeOfThisHost(scene) ?? icmpCode(scene) ?? ending(scene),
}

/** Statements: a resolver's, a proxy's, a TLS endpoint's, a server's. */
function said({ failure, mechanism, code }: Scene): Look | undefined {
  const { kind, proxyStatus, status, http2, temporary } = failure
  if (proxyStatus !== undefined)
    return settled('proxy-answered', `the proxy answered ${proxyStatus} to CONNECT`, { proxy: 3 })
  if (kind === 'dns') {
    if (temporary === true)
      return settled(
        'resolver-failed',
        `the resolver failed (${code ?? 'no code'}): it did not say that the name does not exist`,
        { 'name-service': 5 },
      )
    return settled('no-such-name', `the resolver answered that there is no such name (${code ?? 'no code'})`, {
      'name-service': 5,
    })
  }
  if (kind === 'tls' && mechanism === 'app-protocol')
    return settled(
      'tls-statement',
      `TLS failed by what was said in it (${code ?? 'an alert'}), not by a cut connection`,
      { 'tls-peer': 5 },
    )
  if (kind === 'status' && status !== undefined) {
    // 520 to 530 are what Cloudflare says of the server behind it.
    const ofUpstream = status === 502 || status === 504 || (status >= 520 && status <= 530)
    const gateway = ofUpstream ? 3.5 : status === 503 ? 1.2 : -2
    return look('status', `the answer was complete and its status ${status}`, {
      'proxy-upstream-failed': gateway,
      'peer-speaks-otherwise': -4,
    })
  }
  if (http2 !== undefined && mechanism === 'app-protocol')
    return look('http2-said', `the HTTP/2 peer said ${http2}`, {
      path: -4,
      'peer-host': -4,
      'local-host': -4,
      'peer-speaks-otherwise': -2,
    })
  if (kind === 'protocol')
    return look('not-http', 'bytes came, and they are not the HTTP they claim to be', {
      path: -3,
      proxy: -0.7,
      'peer-speaks-otherwise': 4,
    })
  return undefined
}

const shortOf: Record<string, string> = {
  EMFILE: 'file descriptors',
  ENFILE: 'file descriptors',
  ENOBUFS: 'buffers',
  ENOMEM: 'memory',
  EADDRNOTAVAIL: 'local ports or addresses',
  EADDRINUSE: 'local ports',
}

/** What only this host says. */
function codeOfThisHost({ mechanism, code, syscall }: Scene): Look | undefined {
  const call = `${syscall ?? 'the call'} failed with ${code ?? 'no code'}`
  if (mechanism === 'local-aborted')
    return settled('aborted-here', `${call}: this host itself ended the connection`, {
      'local-host': 3,
      'local-socket-killed': 4,
    })
  if (mechanism !== 'local-refused' || code === undefined) return undefined
  const short = shortOf[code]
  if (short !== undefined)
    return settled('out-of-resources', `${call}: this host is out of ${short}`, {
      'local-host': 3,
      'local-resources': 6,
    })
  if (code === 'EPERM' || code === 'EACCES')
    return settled('forbidden-here', `${call}: this host does not allow it`, { 'local-host': 3, 'local-filter': 5 })
  return settled('no-way-out', `${call}: this host has no way there`, { 'local-host': 3, 'local-network-changed': 5 })
}

/** Codes that ICMP leaves behind. */
function icmpCode({ mechanism, code, syscall }: Scene): Look | undefined {
  if (mechanism !== 'icmp') return undefined
  const established = syscall === 'read' || syscall === 'write'
  if (code === 'ECONNREFUSED' || code === 'ENOPROTOOPT')
    return look(
      'icmp-of-a-filter',
      `${syscall ?? 'the call'} ${code}${established ? ' on a connection that stood' : ''}: only a filter says that`,
      { 'filter-rejects': 3, 'peer-host-filter': 1, 'path-down': -1, 'peer-host-down': -3 },
    )
  if (code === 'ENETUNREACH')
    return look('net-unreachable', 'a router said that it has no route to the network (ENETUNREACH)', {
      'path-down': 1.5,
      'filter-rejects': 0.5,
      'peer-host': -2.5,
      'local-filter': -1,
    })
  return look('host-unreachable', `somebody on the way said that the host cannot be reached (${code ?? 'ICMP'})`, {})
}

/** How it ended, where the words say no more than that. */
function ending(scene: Scene): Look | undefined {
  const { mechanism, situation, code } = scene
  switch (mechanism) {
    case 'fin-then-rst':
      return look('closed-before-we-wrote', 'the other end had closed in an orderly way before our bytes came', {
        'injected-reset': -3,
      })
    case 'fin':
      return look(
        'orderly-end',
        'the connection ended with a FIN: whoever sent it held the connection and closed it',
        {},
      )
    case 'rst':
      return look('reset', 'the connection ended with a reset', {})
    case 'refused':
      return look('refused', 'the SYN was answered with a refusal', {})
    case 'self':
      return settled('ended-here', 'this program ended it', { self: 3 })
    case 'local-timeout':
      return look('kernel-gave-up', `the kernel of this host gave up (${code ?? 'ETIMEDOUT'})`, {})
    case 'silence':
      if (isDial(scene)) return look('no-answer-to-dial', 'nothing answered until the time ran out', {})
      return look('no-answer', `nothing came ${situation === 'body' ? 'any more ' : ''}until the time ran out`, {})
    default:
      return undefined
  }
}

const localSuffix: Clue = {
  of: ['circumstances', 'raw', 'localSuffix'],
  look: ({ localSuffix, code }) =>
    localSuffix
      ? {
          clue: 'connect-failed-here',
          says: `connect(2) itself failed (${code ?? 'no code'}): no packet left this host`,
          shifts: { path: -4, 'peer-host': -4, 'peer-application': -4, proxy: -4, 'tls-peer': -4 },
          settles: true,
        }
      : undefined,
}

/** The name had not been found when the dial ended: nothing else had been tried. */
const lookedUp: Clue = {
  of: ['circumstances', 'lookedUp'],
  look: (scene) => {
    const { lookedUp } = scene.around
    if (!isDial(scene) || lookedUp === undefined) return undefined
    if (lookedUp) return { clue: 'name-was-found', says: 'the name had been looked up', shifts: { 'name-service': -5 } }
    return {
      clue: 'name-not-found-yet',
      says: 'the lookup of the name had not ended: nothing had been dialled yet',
      shifts: { path: -4, 'peer-host': -4, 'peer-application': -4, proxy: -3, 'name-service': 4 },
      settles: true,
    }
  },
}

/** Whoever speaks through a proxy speaks to the proxy: its host answers the SYN, and its hand holds the connection. */
const proxied: Clue = {
  of: ['connection', 'proxy'],
  group: 'between',
  look: (scene) => {
    const { throughProxy, situation, evidence } = scene
    if (!throughProxy || evidence?.connection?.proxy === undefined) return undefined
    const name = redactLine(evidence.connection.proxy, 60)
    if (situation === 'connect')
      return look('dial-to-the-proxy', `what was dialled is the proxy ${name}`, {
        'peer-application': -4,
        'peer-host': -3,
        // What lies between here and a proxy is mostly little.
        path: -0.7,
        'proxy-unreachable': 5.5,
      })
    return look('through-a-proxy', `the connection ends at the proxy ${name}`, endsAtProxy)
  },
}

const tunnel: Clue = {
  of: ['circumstances', 'tunnel'],
  group: 'between',
  look: ({ around: { tunnel }, situation }) => {
    if (tunnel === 'asked' && situation !== 'connect')
      return look('tunnel-asked', 'the proxy had been asked for a tunnel and had not made it', { proxy: 2 })
    return tunnel === 'made'
      ? look(
          'tunnel-made',
          'the connection went through the tunnel of a proxy, which holds both ends of it',
          endsAtProxy,
        )
      : undefined
  },
}

const tls: Clue = {
  of: ['circumstances', 'tls'],
  look: (scene) => {
    const { tls } = scene.around
    if (tls === undefined) return undefined
    if (tls.alert !== undefined)
      return {
        clue: 'tls-alert',
        says: `the TLS peer sent the alert "${word(tls.alert)}"`,
        shifts: { 'tls-peer': 8 },
        settles: true,
      }
    if (scene.mechanism === 'fin' && tls.stage === 'established') return closeNotify(tls.closeNotify)
    if (scene.situation !== 'tls' || scene.mechanism === 'silence') return undefined
    if (tls.stage === 'hello-sent')
      return {
        clue: 'cut-after-client-hello',
        says: 'it was cut after our ClientHello and before any answer to it: all that had been said was the name',
        shifts: { 'injected-reset': 0.3, 'tls-refused': 0.5, 'peer-application-aborted': -0.2 },
      }
    if (tls.stage === 'server-answered')
      return {
        clue: 'cut-after-server-hello',
        says: 'the TLS peer had answered and then broke off',
        shifts: { 'tls-refused': 1.5, 'injected-reset': -1.2, 'filter-rejects': -1, 'peer-host': -1 },
      }
    return undefined
  },
}

/** The goodbye that nobody on the way can forge. */
function closeNotify(seen: boolean | undefined): Look | undefined {
  if (seen === undefined) return undefined
  if (seen)
    return {
      clue: 'close-notify',
      says: 'the TLS endpoint said goodbye (close_notify) before the FIN: it closed on purpose',
      shifts: { path: -4, 'peer-host': -4, 'local-host': -2, 'peer-process-gone': -2.3, 'local-stall': 0 },
    }
  return {
    clue: 'no-close-notify',
    says: 'the FIN came without close_notify: the TLS endpoint did not close on purpose',
    shifts: { 'peer-process-gone': 0.8, 'proxy-upstream-failed': 0.3, 'by-limit': -0.4 },
  }
}

function word(text: string): string {
  return text.replace(/[^\w .-]/g, '').slice(0, 40)
}

export const cluesOfWords: readonly Clue[] = [failure, localSuffix, lookedUp, proxied, tunnel, tls]
