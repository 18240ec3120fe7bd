/**
 * The `proxy` option: what it takes, what the environment says, and which origin goes by which proxy. No message names
 * a value here: a URL may hold a password.
 */

import { readNoProxy } from './no-proxy.js'
import { isPlainObject, mismatch, openSection } from './option-check.js'

/**
 * A proxy, section `proxy` of `createClient`. Requests to `https:` origins go through a tunnel that the proxy makes
 * (CONNECT), those to `http:` origins are passed on by the proxy itself, as curl, browsers and Node do it.
 *
 * @example
 * ```ts
 * import { createClient } from 'offhook'
 *
 * await using client = createClient({
 *   proxy: { url: 'http://proxy.example.com:3128', token: 'Bearer 4711', noProxy: ['.internal', '10.0.0.0/8'] },
 * })
 * await client.fetch('https://api.example.com/health')
 * ```
 */
export interface ProxyOptions {
  /** `http:`, `https:` (TLS with the proxy) or `socks5:`. User and password in it are sent to the proxy alone. */
  readonly url: string | URL
  /** The value of the header `Proxy-Authorization`, for example `Bearer …`, in place of user and password. */
  readonly token?: string | undefined
  /** Further headers for the proxy alone. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Hosts that are not proxied, in the words of `NO_PROXY`: as one text or entry by entry. */
  readonly noProxy?: string | readonly string[] | undefined
  /** Ask for a tunnel to `http:` origins too. Default false: many proxies make tunnels to port 443 alone. */
  readonly tunnel?: boolean | undefined
  /** Options of `node:tls` for the connection to an `https:` proxy. Those of `tls` are for the origins. */
  readonly tls?: object | undefined
}

/** A proxy, checked. */
export interface ProxyChoice {
  readonly protocol: 'http:' | 'https:' | 'socks5:'
  readonly host: string
  readonly port: number
  readonly name: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly login?: readonly [user: string, password: string]
  readonly tls?: object
}

/** How an origin is reached; `undefined`: without a proxy. */
export type ProxyRoute = (
  origin: string,
) => { readonly by: 'tunnel' | 'forward'; readonly proxy: ProxyChoice } | undefined

/** The environment, as far as it is read. */
export type Environment = Readonly<Record<string, string | undefined>>

const optionNames: readonly (keyof ProxyOptions)[] = ['url', 'token', 'headers', 'noProxy', 'tunnel', 'tls']

/**
 * Checks the `proxy` option.
 *
 * @param value `undefined` or `false` for none, `'env'`, a URL, or {@link ProxyOptions}
 * @param env read for `'env'` alone, and once
 * @throws TypeError that names the option and what is allowed, and never what came
 */
export function checkProxyOptions(value: unknown, env: Environment): ProxyRoute | undefined {
  if (value === undefined || value === false) return undefined
  if (value === 'env') return routeOfEnvironment(env)
  const given = typeof value === 'string' || value instanceof URL ? { url: value } : value
  if (typeof given !== 'object' || given === null) throw new TypeError(`proxy must be ${allowed}`)
  const section = openSection('proxy', given, optionNames)
  const proxy = readProxy(section.raw('url'), 'proxy.url')
  const tunnel = section.boolean('tunnel') ?? false
  const noProxy = checkNoProxy(section.raw('noProxy'))
  const headers = headersOf({ login: proxy.login, token: section.raw('token'), headers: section.raw('headers') })
  const tls = section.raw('tls')
  if (tls !== undefined && (typeof tls !== 'object' || tls === null))
    throw mismatch('proxy.tls', 'options of node:tls', tls)
  if (tls !== undefined && proxy.protocol !== 'https:')
    throw new TypeError('proxy.tls is for a proxy.url of https:, and this one has another scheme')
  if (proxy.protocol === 'socks5:' && headers.length > (proxy.login === undefined ? 0 : 1))
    throw new TypeError('proxy.token and proxy.headers are for HTTP proxies, and proxy.url is socks5:')
  const choice = choiceOf(proxy, headers, tls ?? undefined)
  return (origin) => routeBy(choice, { origin, tunnel, noProxy })
}

const allowed = "'env', a URL, or { url, … }"

/**
 * What curl reads: the variable of the scheme, then `all_proxy`; lower case before upper case. `HTTP_PROXY` in capitals
 * is not read where `REQUEST_METHOD` is set, since in CGI any client can set it by a header `Proxy` (httpoxy).
 */
function routeOfEnvironment(env: Environment): ProxyRoute | undefined {
  const read = (...names: readonly string[]) => {
    const name = names.find((one) => env[one] !== undefined)
    const text = name === undefined ? '' : (env[name] ?? '').trim()
    return name === undefined || text === '' ? undefined : { name, text }
  }
  const capitals = env['REQUEST_METHOD'] === undefined ? ['HTTP_PROXY'] : []
  const all = ['all_proxy', 'ALL_PROXY']
  const chosen = (found: ReturnType<typeof read>) => {
    if (found === undefined) return undefined
    // curl takes a proxy without a scheme for one that speaks HTTP.
    const url = /^[a-z][\w+.-]*:\/\//i.test(found.text) ? found.text : `http://${found.text}`
    const proxy = readProxy(url, `the environment variable ${found.name}`)
    return choiceOf(proxy, headersOf({ login: proxy.login }), undefined)
  }
  const http = chosen(read('http_proxy', ...capitals) ?? read(...all))
  const https = chosen(read('https_proxy', 'HTTPS_PROXY') ?? read(...all))
  if (http === undefined && https === undefined) return undefined
  const noProxy = readNoProxy(read('no_proxy', 'NO_PROXY')?.text ?? '')
  return (origin) => {
    const choice = origin.startsWith('https:') ? https : http
    return choice === undefined ? undefined : routeBy(choice, { origin, tunnel: false, noProxy })
  }
}

function routeBy(
  proxy: ProxyChoice,
  to: { readonly origin: string; readonly tunnel: boolean; readonly noProxy: (host: string, port: number) => boolean },
): ReturnType<ProxyRoute> {
  const url = new URL(to.origin)
  const secure = url.protocol === 'https:'
  if (to.noProxy(url.hostname, Number(url.port) || (secure ? 443 : 80))) return undefined
  // SOCKS knows no requests, and so passes none on.
  const tunnelled = secure || to.tunnel || proxy.protocol === 'socks5:'
  return { by: tunnelled ? 'tunnel' : 'forward', proxy }
}

interface ReadProxy {
  readonly protocol: ProxyChoice['protocol']
  readonly url: URL
  readonly login: readonly [user: string, password: string] | undefined
}

const schemes: Readonly<Record<string, ProxyChoice['protocol']>> = {
  'http:': 'http:',
  'https:': 'https:',
  'socks:': 'socks5:',
  'socks5:': 'socks5:',
  'socks5h:': 'socks5:',
}

/** curl's for SOCKS; the others are those of the scheme. */
const defaultPorts = { 'http:': 80, 'https:': 443, 'socks5:': 1080 } as const

function readProxy(value: unknown, path: string): ReadProxy {
  const fail = (why: string) => new TypeError(`${path} must be the URL of a proxy, and ${why}`)
  if (typeof value !== 'string' && !(value instanceof URL))
    throw fail(`is ${value === undefined ? 'absent' : 'no URL'}`)
  if (!URL.canParse(String(value))) throw fail('cannot be parsed')
  const url = new URL(String(value))
  const protocol = Object.hasOwn(schemes, url.protocol) ? schemes[url.protocol] : undefined
  if (protocol === undefined) throw fail('its scheme is none of http:, https:, socks5:')
  if (url.hostname === '') throw fail('names no host')
  if ((url.pathname !== '/' && url.pathname !== '') || url.search !== '' || url.hash !== '') throw fail('has a path')
  if (url.username === '' && url.password === '') return { protocol, url, login: undefined }
  const login = [url.username, url.password].map(decoded) as [string, string]
  if (login.includes(undecodable)) throw fail('its user or password is not percent-encoded as it should be')
  // One byte tells the length of each (RFC 1929).
  if (protocol === 'socks5:' && login.some((text) => new TextEncoder().encode(text).length > 255))
    throw fail('its user or password is too long for SOCKS')
  return { protocol, url, login }
}

/** No text that can be decoded holds a lone surrogate. */
const undecodable = '\ud800'

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return undecodable
  }
}

function choiceOf({ protocol, url, login }: ReadProxy, headers: ProxyChoice['headers'], tls?: object): ProxyChoice {
  const port = Number(url.port) || defaultPorts[protocol]
  const socks = protocol === 'socks5:'
  return Object.freeze({
    protocol,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    name: `${protocol}//${url.hostname}:${port}`,
    headers: socks ? [] : headers,
    ...(socks && login !== undefined && { login }),
    ...(tls !== undefined && { tls }),
  })
}

/** Headers that say how a message is framed, or where to: they are not the caller's. */
const ownHeaders: readonly string[] = ['host', 'content-length', 'transfer-encoding', 'connection', 'upgrade', 'te']

function headersOf(from: { login: ReadProxy['login']; token?: unknown; headers?: unknown }): ProxyChoice['headers'] {
  const { login, token, headers = {} } = from
  if (!isPlainObject(headers)) throw new TypeError('proxy.headers must be a plain object')
  if (token !== undefined && !isFieldValue(token)) throw new TypeError('proxy.token must be the value of a header')
  const found: [string, string][] = []
  for (const [name, value] of Object.entries(headers as Record<string, unknown>)) {
    const lower = name.toLowerCase()
    if (!/^[!#$%&'*+\-.^_`|~0-9a-z]{1,256}$/.test(lower) || ownHeaders.includes(lower))
      throw new TypeError('proxy.headers has a name that cannot be sent to a proxy')
    if (!isFieldValue(value)) throw new TypeError(`proxy.headers.${lower} must be the value of a header`)
    found.push([lower, value])
  }
  const named = found.some(([name]) => name === authorization)
  if ([login !== undefined, token !== undefined, named].filter(Boolean).length > 1)
    throw new TypeError('only one of the user in proxy.url, proxy.token and proxy.headers can say who you are')
  if (token !== undefined) found.push([authorization, token])
  if (login !== undefined) found.push([authorization, `Basic ${base64(login.join(':'))}`])
  return Object.freeze(found)
}

const authorization = 'proxy-authorization'

/** RFC 9110 §5.5, without the line breaks that would make it two headers. */
function isFieldValue(value: unknown): value is string {
  return typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]{1,8192}$/.test(value)
}

/** UTF-8 first (RFC 7617 §2.1): `btoa` takes nothing beyond Latin-1. */
function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}

function checkNoProxy(value: unknown): (host: string, port: number) => boolean {
  if (value === undefined) return () => false
  const list = typeof value === 'string' ? [value] : value
  if (!Array.isArray(list) || !list.every((entry) => typeof entry === 'string'))
    throw new TypeError('proxy.noProxy must be a text or an array of texts')
  return readNoProxy(list)
}
