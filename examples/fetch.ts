// The global fetch's place taken by offhook's: the same call, and a reset that the caller never notices.
import { fetch } from 'offhook'
import { failTimes, misdeeds, rudeServer } from 'offhook/testing'

// A server of our own, that resets the first request. In your code: your server.
await using server = await rudeServer({ script: failTimes(1, misdeeds['reset-after-request']) })

const headers = { 'x-request-id': 'health-1' }
const response = await fetch(`${server.url}/health`, { headers, timeout: 5_000 })
console.log(response.status, await response.text())

console.log(`the server received it ${server.ledger.received('health-1')} times`)
