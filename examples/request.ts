// undici's request: the fast way, on a client of one's own. The body must be read, or dropped with body.dump().
import { createClient } from 'offhook'
import { failTimes, misdeeds, rudeServer } from 'offhook/testing'

await using server = await rudeServer({ script: failTimes(1, misdeeds['status-503']) })

await using client = createClient({
  timeout: { connect: 2_000, headers: 5_000, total: 15_000 },
  retry: { attempts: 4, backoff: { throttledBase: 100 } },
})

const { statusCode, body } = await client.request(`${server.url}/prices`, { headers: { 'x-request-id': 'prices-1' } })
console.log(statusCode, await body.text())

const stats = client.stats()
console.log(stats.inFlight, Object.keys(stats.origins).length)
