/** The options `proxy` and `socketPath`: what is taken, what is refused, and that no refusal repeats a secret. */

import { describe, expect, it } from 'vitest'
import { checkProxyOptions, type Environment } from '../../src/policy/proxy-options.js'
import { checkWayOptions } from '../../src/policy/way-options.js'

const http = 'http://example.com'
const https = 'https://example.com'

/** Which way, by which proxy: `tunnel http://host:port`. */
function wayOf(option: unknown, origin: string, env: Environment = {}): string {
  const way = checkProxyOptions(option, env)?.(origin)
  return way === undefined ? 'direct' : `${way.by} ${way.proxy.name}`
}

describe('a proxy', () => {
  it.each([
    ['http://proxy:3128', 'forward http://proxy:3128', 'tunnel http://proxy:3128'],
    ['http://proxy', 'forward http://proxy:80', 'tunnel http://proxy:80'],
    ['https://proxy', 'forward https://proxy:443', 'tunnel https://proxy:443'],
    ['socks5://proxy', 'tunnel socks5://proxy:1080', 'tunnel socks5://proxy:1080'],
    ['socks5h://proxy:9', 'tunnel socks5://proxy:9', 'tunnel socks5://proxy:9'],
    ['socks://[::1]:9', 'tunnel socks5://[::1]:9', 'tunnel socks5://[::1]:9'],
    [new URL('http://[::1]:3128/'), 'forward http://[::1]:3128', 'tunnel http://[::1]:3128'],
    ['http://user:secret@proxy', 'forward http://proxy:80', 'tunnel http://proxy:80'],
    [{ url: 'http://proxy', tunnel: true }, 'tunnel http://proxy:80', 'tunnel http://proxy:80'],
    [{ url: 'http://proxy', noProxy: 'example.com:80' }, 'direct', 'tunnel http://proxy:80'],
    [{ url: 'http://proxy', noProxy: ['other', '.com'] }, 'direct', 'direct'],
    [undefined, 'direct', 'direct'],
    [false, 'direct', 'direct'],
  ])('%s', (option, forHttp, forHttps) => {
    expect([wayOf(option, http), wayOf(option, https)]).toEqual([forHttp, forHttps])
  })

  it.each([
    ['http://user:pass@proxy', 'Basic dXNlcjpwYXNz'],
    ['http://user@proxy', 'Basic dXNlcjo='],
    ['http://us%C3%A9r:p%40ss%3A@proxy', `Basic ${Buffer.from('usér:p@ss:').toString('base64')}`],
    [{ url: 'http://proxy', token: 'Bearer x' }, 'Bearer x'],
    [{ url: 'http://proxy', headers: { 'Proxy-Authorization': 'Custom y' } }, 'Custom y'],
    ['http://proxy', undefined],
  ])('%j says who we are', (option, value) => {
    const headers = checkProxyOptions(option, {})?.(https)?.proxy.headers ?? []
    expect(headers.find(([name]) => name === 'proxy-authorization')?.[1]).toBe(value)
  })

  it('of SOCKS gets user and password as they are, and no headers', () => {
    const proxy = checkProxyOptions('socks5://us%20er:pass@proxy', {})?.(https)?.proxy
    expect(proxy).toMatchObject({ login: ['us er', 'pass'], headers: [] })
  })
})

describe('the environment', () => {
  const p = 'http://p:1'
  const q = 'http://q:2'
  it.each<[says: string, env: Environment, forHttp: string, forHttps: string]>([
    ['nothing', {}, 'direct', 'direct'],
    ['empty', { http_proxy: '', HTTPS_PROXY: ' ' }, 'direct', 'direct'],
    ['http_proxy', { http_proxy: p }, `forward ${p}`, 'direct'],
    ['HTTP_PROXY', { HTTP_PROXY: p }, `forward ${p}`, 'direct'],
    ['HTTP_PROXY in CGI', { HTTP_PROXY: p, REQUEST_METHOD: 'GET' }, 'direct', 'direct'],
    ['http_proxy in CGI', { http_proxy: p, REQUEST_METHOD: 'GET' }, `forward ${p}`, 'direct'],
    ['https_proxy', { https_proxy: p }, 'direct', `tunnel ${p}`],
    ['HTTPS_PROXY', { HTTPS_PROXY: p }, 'direct', `tunnel ${p}`],
    ['lower case first', { https_proxy: p, HTTPS_PROXY: q }, 'direct', `tunnel ${p}`],
    ['lower case first, though it is empty', { https_proxy: '', HTTPS_PROXY: q }, 'direct', 'direct'],
    ['both', { http_proxy: p, https_proxy: q }, `forward ${p}`, `tunnel ${q}`],
    ['all_proxy', { all_proxy: p }, `forward ${p}`, `tunnel ${p}`],
    ['ALL_PROXY beside', { ALL_PROXY: p, https_proxy: q }, `forward ${p}`, `tunnel ${q}`],
    ['without a scheme', { https_proxy: 'p:1' }, 'direct', `tunnel ${p}`],
    ['SOCKS', { all_proxy: 'socks5h://p:1' }, 'tunnel socks5://p:1', 'tunnel socks5://p:1'],
    ['no_proxy', { all_proxy: p, no_proxy: 'example.com' }, 'direct', 'direct'],
    ['NO_PROXY', { all_proxy: p, NO_PROXY: '*' }, 'direct', 'direct'],
    ['no_proxy first', { all_proxy: p, no_proxy: 'x', NO_PROXY: '*' }, `forward ${p}`, `tunnel ${p}`],
    ['no_proxy by port', { all_proxy: p, no_proxy: 'example.com:443' }, `forward ${p}`, 'direct'],
  ])('%s', (_, env, forHttp, forHttps) => {
    expect([wayOf('env', http, env), wayOf('env', https, env)]).toEqual([forHttp, forHttps])
  })

  it('is not read unless it is asked for', () => {
    expect(checkProxyOptions(undefined, { all_proxy: p })).toBeUndefined()
    expect(wayOf('http://r', http, { no_proxy: '*' })).toBe('forward http://r:80')
  })

  it('is read once', () => {
    const env: Record<string, string> = { http_proxy: p }
    const route = checkProxyOptions('env', env)
    env['no_proxy'] = '*'
    expect(route?.(http)?.by).toBe('forward')
  })
})

describe('refusals', () => {
  const secret = 'hunter2'
  const url = 'http://proxy'
  it.each<[option: unknown, text: RegExp]>([
    [5, /proxy must be 'env', a URL/],
    [null, /proxy must be/],
    [[], /proxy must be a plain object/],
    [{}, /proxy\.url .* absent/],
    [{ uri: url }, /proxy\.uri is not an option: did you mean url\?/],
    [{ url: 7 }, /proxy\.url .* no URL/],
    [secret, /proxy\.url .* cannot be parsed/],
    [`ftp://user:${secret}@proxy`, /proxy\.url .* scheme/],
    [`socks4://user:${secret}@proxy`, /proxy\.url .* scheme/],
    [`user:${secret}@proxy:80`, /proxy\.url .* scheme/],
    [`http://user:${secret}%@proxy`, /percent-encoded/],
    [`http://user:${secret}@proxy/path`, /has a path/],
    [`http://user:${secret}@proxy/?a`, /has a path/],
    [{ url: `http://user:${secret}@proxy`, token: 'Bearer x' }, /only one of/],
    [{ url, token: 'a', headers: { 'proxy-authorization': secret } }, /only one of/],
    [{ url, token: `${secret}\r\nx: y` }, /proxy\.token must be the value of a header/],
    [{ url, token: 5 }, /proxy\.token/],
    [{ url, headers: { 'x-a': `${secret}\nb` } }, /proxy\.headers\.x-a/],
    [{ url, headers: { [`a ${secret}`]: 'x' } }, /proxy\.headers has a name/],
    [{ url, headers: { Host: 'x' } }, /proxy\.headers has a name/],
    [{ url, headers: { 'Content-Length': '5' } }, /proxy\.headers has a name/],
    [{ url, headers: ['x'] }, /proxy\.headers must be a plain object/],
    [{ url, noProxy: 5 }, /proxy\.noProxy/],
    [{ url, noProxy: [5] }, /proxy\.noProxy/],
    [{ url, tunnel: 'yes' }, /proxy\.tunnel must be true or false/],
    [{ url, tls: {} }, /proxy\.tls is for a proxy\.url of https:/],
    [{ url: 'https://proxy', tls: 'x' }, /proxy\.tls must be options of node:tls/],
    [`socks5://${secret}:${'x'.repeat(256)}@proxy`, /too long for SOCKS/],
    [{ url: 'socks5://proxy', token: secret }, /proxy\.token and proxy\.headers are for HTTP proxies/],
  ])('%j', (option, text) => {
    let message = ''
    try {
      checkProxyOptions(option, {})
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError)
      message = (error as Error).message
    }
    expect(message).toMatch(text)
    expect(message).not.toContain(secret)
  })

  it('of the environment name the variable', () => {
    expect(() => checkProxyOptions('env', { HTTPS_PROXY: `ftp://u:${secret}@h` })).toThrow(
      /^the environment variable HTTPS_PROXY must be the URL of a proxy, and its scheme is none of/,
    )
  })
})

describe('socketPath', () => {
  const way = (socketPath: unknown, origin: string, proxy?: unknown) =>
    checkWayOptions({ socketPath, proxy }, {})?.(origin)
  const unix = { by: 'unix', path: '/run/a.sock' }

  it('is for every origin, or for those that are named, which then need no proxy', () => {
    expect(way('/run/a.sock', http)).toEqual(unix)
    expect(way({ [http]: '/run/a.sock' }, http)).toEqual(unix)
    expect(way({ [http]: '/run/a.sock' }, https)).toBeUndefined()
    expect(way({ [http]: '/run/a.sock' }, http, 'http://p')).toEqual(unix)
    expect(way({ [http]: '/run/a.sock' }, https, 'http://p')).toMatchObject({ by: 'tunnel' })
    expect(way(undefined, http)).toBeUndefined()
  })

  it.each<[socketPath: unknown, proxy: unknown, text: RegExp]>([
    ['', undefined, /options\.socketPath must be a path/],
    [5, undefined, /options\.socketPath must be a path/],
    [{ docker: '/x' }, undefined, /a name in options\.socketPath must be an origin/],
    [{ 'http://docker/': '/x' }, undefined, /must be an origin/],
    [{ 'http://docker': '' }, undefined, /options\.socketPath\['http:\/\/docker'\] must be a path/],
    ['/x', 'http://p', /options\.socketPath .* options\.proxy/],
  ])('%j with proxy %j is refused', (socketPath, proxy, text) => {
    expect(() => checkWayOptions({ socketPath, proxy }, {})).toThrow(text)
  })
})
