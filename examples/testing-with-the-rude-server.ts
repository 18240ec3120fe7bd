// Your own code against a server that misbehaves on command, with the server's ledger as the judge.
import assert from 'node:assert/strict'
import { ConnectionResetError, fetch } from 'offhook'
import { failTimes, misdeeds, rudeServer } from 'offhook/testing'

/** The code to be tested. */
async function placeOrder(url: string, id: string): Promise<'placed' | 'unclear'> {
  try {
    await fetch(`${url}/orders`, { method: 'POST', body: id, headers: { 'x-request-id': id } })
    return 'placed'
  } catch (error) {
    if (error instanceof ConnectionResetError && error.mayHaveExecuted) return 'unclear'
    throw error
  }
}

await using server = await rudeServer()

// The order was taken, its answer lost: it must not be sent again.
server.on(misdeeds['reset-after-request'])
assert.equal(await placeOrder(server.url, 'order-1'), 'unclear')
assert.equal(server.ledger.executions('order-1'), 1)

// Nobody let the order in: it can be sent again, and is.
server.on(failTimes(1, misdeeds['status-421']))
assert.equal(await placeOrder(server.url, 'order-2'), 'placed')
assert.equal(server.ledger.executions('order-2'), 1)

assert.deepEqual(server.ledger.duplicates(), [])
console.log('the orders were placed once each')
