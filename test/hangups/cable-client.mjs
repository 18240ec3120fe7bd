// Clients on the far end of the wire: answers that are under way, one connection each.
//
//   node cable-client.mjs PORT COUNT

import http from 'node:http'

const [port, count = 1] = process.argv.slice(2).map(Number)
let begun = 0
for (let at = 0; at < count; at++) {
  const path = `/stream/60000/network-lost/${at}`
  http
    .get({ port, host: '10.77.0.1', path, agent: new http.Agent() }, (response) => {
      response.resume()
      begun++
      if (begun === count) console.log('ready')
    })
    .on('error', () => {})
}
process.stdin.on('end', () => process.exit()).resume()
