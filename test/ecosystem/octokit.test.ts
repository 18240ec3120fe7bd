/** GitHub's octokit over offhook against a service that loses one connection in five. It has no retries of its own. */

import { Octokit } from '@octokit/core'
import { createClient, isOffhookError } from 'offhook'
import type { RudeServer } from 'offhook/testing'
import { resilient } from 'offhook/undici'
import { Agent } from 'undici'
import { describe, expect, test } from 'vitest'
import { flakyService, json, type Loss, lostConnections } from './flaky-service.js'

const issues = '/repos/offhook/offhook/issues'
const service = (loss: Loss) =>
  flakyService(loss, {
    [`GET ${issues}`]: json([{ number: 1, title: 'Who hung up?' }]),
    [`POST ${issues}`]: json({ number: 2, title: 'Not me' }, { status: 201 }),
    [`PATCH ${issues}/2`]: json({ number: 2, state: 'closed' }),
    [`DELETE ${issues}/2/lock`]: { status: 204 },
  })

const settings = { random: () => 0 }

const ways = {
  'client.fetch': (server: RudeServer) => {
    const client = createClient({ ...settings, tls: { ca: server.ca } })
    return { fetch: client.fetch as unknown, close: () => client.close() }
  },
  'the global fetch and a dispatcher': (server: RudeServer) => {
    const agent = new Agent({ connect: { ca: server.ca as string } })
    const dispatcher = agent.compose(resilient(settings))
    return {
      fetch: (url: string, init: object) => fetch(url, { ...init, dispatcher } as object),
      close: () => agent.close(),
    }
  },
} as const

async function on(loss: Loss, way: keyof typeof ways, use: (octokit: Octokit, server: RudeServer) => Promise<void>) {
  await using server = await service(loss)
  const { fetch, close } = ways[way](server)
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  await use(new Octokit({ baseUrl: server.url, auth: 'secret-token', request: { fetch }, log }), server)
  await close()
}

const of = { owner: 'offhook', repo: 'offhook' }
const id = (name: string) => ({ headers: { 'x-request-id': name } })
const count = 16

describe.each(Object.keys(ways) as (keyof typeof ways)[])('by %s', (way) => {
  test.each(['unsent', 'idle'] as const)('connections lost %s: everything succeeds, and is executed once', (loss) =>
    on(loss, way, async (octokit, server) => {
      for (let index = 0; index < count; index++) {
        const list = await octokit.request('GET /repos/{owner}/{repo}/issues', { ...of, ...id(`list-${index}`) })
        expect(list.data.map(({ title }) => title)).toEqual(['Who hung up?'])
        const made = await octokit.request('POST /repos/{owner}/{repo}/issues', {
          ...of,
          title: 'Not me',
          ...id(`made-${index}`),
        })
        expect([made.status, made.data.number]).toEqual([201, 2])
        const which = { ...of, issue_number: 2 }
        await octokit.request('PATCH /repos/{owner}/{repo}/issues/{issue_number}', {
          ...which,
          state: 'closed',
          ...id(`closed-${index}`),
        })
        await octokit.request('DELETE /repos/{owner}/{repo}/issues/{issue_number}/lock', {
          ...which,
          ...id(`unlocked-${index}`),
        })
      }
      expect(server.ledger.entries()).toHaveLength(4 * count)
      expect(server.ledger.entries().every(({ executed }) => executed === 1)).toBe(true)
      expect(server.ledger.corrupted()).toEqual([])
      expect(lostConnections(server)).toBeGreaterThan(3)
    }),
  )

  test('connections lost after the request was heard: GET and DELETE succeed, POST and PATCH are executed once', () =>
    on('heard', way, async (octokit, server) => {
      let failed = 0
      for (let index = 0; index < count; index++) {
        await octokit.request('GET /repos/{owner}/{repo}/issues', { ...of, ...id(`list-${index}`) })
        await octokit.request('DELETE /repos/{owner}/{repo}/issues/{issue_number}/lock', {
          ...of,
          issue_number: 2,
          ...id(`unlocked-${index}`),
        })
        const outcome = await octokit
          .request('POST /repos/{owner}/{repo}/issues', { ...of, title: 'Not me', ...id(`made-${index}`) })
          .catch((error: unknown) => error)
        if (!(outcome instanceof Error)) continue
        failed++
        // octokit makes an error of its own, with ours as its cause.
        const { cause } = outcome
        expect(isOffhookError(cause) || isOffhookError((cause as Error).cause)).toBe(true)
        expect(outcome.message).not.toContain('secret-token')
      }
      expect(failed).toBeGreaterThan(0)
      const twice = server.ledger.duplicates().map(({ method }) => method)
      expect(twice.length).toBeGreaterThan(0)
      expect(twice.filter((method) => method === 'POST')).toEqual([])
    }))
})
