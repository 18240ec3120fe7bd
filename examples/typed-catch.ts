// One catch block that knows what happened, whether the server may have acted, and what to do about it.
import { ConnectionRefusedError, createClient, isOffhookError } from 'offhook'
import { misdeeds, refusedPort, rudeServer } from 'offhook/testing'

await using client = createClient({ timeout: { headers: 200 }, retry: { attempts: 1 } })

async function order(url: string): Promise<string> {
  try {
    const response = await client.fetch(url, { method: 'POST', body: 'one order' })
    return `answered: ${response.status}`
  } catch (error) {
    // By class …
    if (error instanceof ConnectionRefusedError) return `nobody there (${error.code}): queue the order, try later`
    // … or by kind. What is no network failure (a mistake in the call, an abort) is not for this block.
    if (!isOffhookError(error)) throw error
    if (!error.mayHaveExecuted) return `${error.kind}: not processed, that is proved`
    switch (error.kind) {
      case 'reset':
      case 'closed':
        return `hung up on in phase ${error.phase}: ask for the order's state before sending it again`
      case 'timeout':
        return `no answer within ${error.limitMs} ms: ask for the order's state before sending it again`
      default:
        throw error
    }
  }
}

await using nobody = await refusedPort()
console.log(await order(nobody.url))

await using server = await rudeServer({ script: misdeeds['reset-after-request'] })
console.log(await order(server.url))

server.on(misdeeds['stall-before-head'])
console.log(await order(server.url))
