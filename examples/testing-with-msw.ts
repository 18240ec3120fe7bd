// msw intercepts offhook's fetch as it does the global one: there is nothing to configure.
import { HttpResponse, http } from 'msw'
import { setupServer } from 'msw/node'
import { createClient, isOffhookError } from 'offhook'

const busy = [503, 503]
const server = setupServer(
  http.get('https://api.example.com/prices', () => {
    const status = busy.pop()
    return status === undefined ? HttpResponse.json({ apples: 3 }) : new HttpResponse(null, { status })
  }),
  http.get('https://api.example.com/broken', () => HttpResponse.error()),
)
server.listen({ onUnhandledRequest: 'error' })

await using client = createClient({ retry: { backoff: { base: 1, throttledBase: 1 } } })

const prices = await client.fetch('https://api.example.com/prices')
console.log(prices.status, await prices.json())

try {
  await client.fetch('https://api.example.com/broken')
} catch (error) {
  // Nothing came to a socket, so offhook knows that it failed and not how.
  if (isOffhookError(error)) console.log(error.kind, error.attempts.length)
}

server.close()
