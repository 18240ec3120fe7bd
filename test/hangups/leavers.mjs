// Clients that leave a server for four reasons, each as it is done outside: timers of programs, people who press stop,
// processes that are killed, and a proxy whose timer runs out. What each request is about stands in its path.

import { fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request as undiciRequest } from 'undici'

export const hasCurl = spawnSync('curl', ['--version']).status === 0

const between = (/** @type {number} */ low, /** @type {number} */ high) => low + Math.random() * (high - low)
const pick = (/** @type {readonly any[]} */ list) => list[Math.floor(Math.random() * list.length)]
const quiet = () => {}
/** Its close, whatever comes before. */
const closeOf = (/** @type {import('node:events').EventEmitter} */ emitter) =>
  new Promise((resolve) => emitter.once('close', resolve))

/** @typedef {{ h1: number, h2: number }} Ports */

/** Timers of programs: round numbers, four kinds of client, each from an address of its own. */
export async function timers(/** @type {Ports} */ ports, /** @type {number} */ count) {
  const limits = [500, 1000, 1500, 2000, 3000, 5000]
  const ways = [byUndici, byNodeHttp, byFetch, byHttp2, ...(hasCurl ? [byCurl] : [])]
  await Promise.all(
    Array.from({ length: count }, async (_, at) => {
      await sleep(between(0, 12_000))
      const limit = pick(limits)
      const path = `/report/9000/client-timeout/${at}`
      await /** @type {typeof byUndici} */ (ways[at % ways.length])(ports, {
        path,
        limit,
        address: `127.0.2.${1 + (at % 200)}`,
      })
      // Every third tries again, as programs do.
      if (at % 3 === 0) {
        await sleep(between(5, 100))
        await byUndici(ports, { path, limit, address: `127.0.2.${1 + (at % 200)}` })
      }
    }),
  )
}

/** @typedef {{ path: string, limit: number, address: string }} Timed */

async function byUndici(/** @type {Ports} */ ports, /** @type {Timed} */ { path, limit, address }) {
  const dispatcher = new Agent({ localAddress: address })
  const url = `http://127.0.0.1:${ports.h1}${path}`
  await undiciRequest(url, { dispatcher, signal: AbortSignal.timeout(limit) }).catch(quiet)
  await sleep(100)
  await dispatcher.destroy()
}

async function byNodeHttp(/** @type {Ports} */ ports, /** @type {Timed} */ { path, limit, address }) {
  const request = http.get({ port: ports.h1, host: '127.0.0.1', path, localAddress: address, timeout: limit })
  request.on('timeout', () => request.destroy()).on('error', quiet)
  await closeOf(request)
}

async function byFetch(/** @type {Ports} */ ports, /** @type {Timed} */ { path, limit }) {
  await fetch(`http://127.0.0.1:${ports.h1}${path}`, { signal: AbortSignal.timeout(limit) }).catch(quiet)
}

function openHttp2(/** @type {number} */ port, /** @type {string} */ localAddress) {
  const createConnection = () => net.connect({ port, host: '127.0.0.1', localAddress })
  return http2.connect(`http://127.0.0.1:${port}`, { createConnection })
}

async function byHttp2(/** @type {Ports} */ ports, /** @type {Timed} */ { path, limit, address }) {
  const session = openHttp2(ports.h2, address)
  session.on('error', quiet)
  const stream = session.request({ ':path': path })
  stream.on('error', quiet)
  await sleep(limit)
  stream.close(http2.constants.NGHTTP2_CANCEL)
  await sleep(400)
  session.close()
}

async function byCurl(/** @type {Ports} */ ports, /** @type {Timed} */ { path, limit, address }) {
  const url = `http://127.0.0.1:${ports.h1}${path}`
  await once(
    spawn('curl', ['--silent', '--interface', address, '--max-time', String(limit / 1000), url], { stdio: 'ignore' }),
    'exit',
  )
}

const browser = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36',
  'accept-language': 'en',
  'sec-fetch-mode': 'navigate',
}

/** People: they open a page, and stop it at some moment, over HTTP/2 and over six connections of HTTP/1. */
export async function stopButtons(/** @type {Ports} */ ports, /** @type {number} */ count) {
  await Promise.all(
    Array.from({ length: count }, async (_, at) => {
      await sleep(between(0, 12_000))
      const who = {
        path: `${at % 3 === 0 ? '/stream/9000' : '/page/7000'}/user-cancelled/${at}`,
        address: `127.0.3.${1 + (at % 200)}`,
      }
      await (at % 2 === 0 ? stopHttp2(ports, who) : stopHttp1(ports, who))
    }),
  )
}

/** @typedef {{ path: string, address: string }} Who */

async function stopHttp2(/** @type {Ports} */ ports, /** @type {Who} */ { path, address }) {
  const session = openHttp2(ports.h2, address)
  session.on('error', quiet)
  const streams = []
  const parts = 2 + Math.floor(Math.random() * 4)
  for (let part = 0; part < parts; part++) {
    const stream = session.request({ ...browser, ':path': path })
    stream.on('error', quiet).resume()
    streams.push(stream)
    await sleep(between(20, 150))
  }
  await sleep(between(100, 3500))
  for (const stream of streams) stream.close(http2.constants.NGHTTP2_CANCEL)
  await sleep(between(20, 1500))
  const next = session.request({ ...browser, ':path': '/quick/5/none/0' })
  next.on('error', quiet).resume()
  await closeOf(next)
  session.close()
}

async function stopHttp1(/** @type {Ports} */ ports, /** @type {Who} */ { path, address }) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 6 })
  const next = new http.Agent({ keepAlive: true })
  const open = (/** @type {string} */ to, by = agent) => {
    const request = http.get({
      port: ports.h1,
      host: '127.0.0.1',
      path: to,
      agent: by,
      localAddress: address,
      headers: browser,
    })
    request.on('error', quiet).on('response', (response) => response.on('error', quiet).resume())
    return request
  }
  const whole = ['/quick/5/none/0', '/quick/8/none/0'].map((path) => open(path))
  await Promise.all(whole.map(closeOf))
  const parts = []
  for (let part = 0; part < 2 + Math.floor(Math.random() * 3); part++) {
    parts.push(open(path))
    await sleep(between(20, 150))
  }
  await sleep(between(100, 3500))
  for (const part of parts) part.destroy()
  await sleep(between(20, 600))
  // On a connection of its own: one that a stopped part had asked for may end under it.
  await closeOf(open('/quick/6/none/0', next))
  await sleep(400)
  agent.destroy()
  next.destroy()
}

/** Processes with several connections, some of them idle, that are killed at some moment. */
export async function kills(/** @type {Ports} */ ports, /** @type {number} */ count, { alone = false } = {}) {
  const story = alone ? 'client-died-alone' : 'client-died'
  for (let at = 0; at < count; at++) {
    const child = fork(new URL('./victim.mjs', import.meta.url), [
      String(ports.h1),
      `/report/9000/${story}/${at}`,
      alone ? '1' : '4',
      alone ? '0' : '2',
      `127.0.4.${1 + at}`,
    ])
    await once(child, 'message')
    await sleep(between(200, 900))
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

/** Users behind a proxy whose read timeout is shorter than the answer takes. */
export async function proxied(/** @type {number} */ port, /** @type {number} */ count) {
  await Promise.all(
    Array.from({ length: count }, async (_, at) => {
      await sleep(between(0, 12_000))
      const headers = {
        ...(at % 2 === 0 ? browser : { 'user-agent': 'okhttp/4.12' }),
        'x-user': `203.0.113.${at % 250}`,
      }
      const request = http.get({ port, host: '127.0.0.1', path: `/report/9000/proxy-timeout/${at}`, headers })
      request.on('error', quiet).on('response', (response) => response.resume())
      await closeOf(request)
    }),
  )
}
