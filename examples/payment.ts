// A payment that must be made once: with an Idempotency-Key it can be sent again after its answer was lost.
import { randomUUID } from 'node:crypto'
import { fetch, isOffhookError } from 'offhook'
import { misdeeds, rudeServer } from 'offhook/testing'

// Takes the payment and is killed before it can say so; knows the key when the same payment comes again.
await using server = await rudeServer({
  script: ({ attempt, headers }) =>
    attempt === 1
      ? misdeeds['reset-after-request']
      : [{ respond: { status: 409, body: `paid already: ${headers['idempotency-key'] ? 'same key' : 'no key'}` } }],
})

// Made once for the payment, stored with it, and never made anew for a repetition.
const idempotencyKey = randomUUID()

try {
  const response = await fetch(`${server.url}/payments`, {
    method: 'POST',
    body: JSON.stringify({ amount: 4200, currency: 'EUR' }),
    headers: { 'content-type': 'application/json', 'x-request-id': 'payment-1' },
    idempotencyKey,
    retry: { attempts: 2 },
  })
  console.log(response.status, await response.text())
} catch (error) {
  if (!isOffhookError(error)) throw error
  console.log(error.mayHaveExecuted ? 'ask the bank before paying again' : 'nothing was paid')
}

console.log(`paid ${server.ledger.executions('payment-1')} time`)
