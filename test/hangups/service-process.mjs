// The service in a process of its own: its ports on the first line, then a hang-up a line, as JSON. It ends when nobody
// listens any more, with the number of requests that it had.
//
//   node service-process.mjs HOST

import { startService } from './service.mjs'

const service = await startService((hangup) => console.log(JSON.stringify(hangup)), process.argv[2])
console.log(JSON.stringify(service.ports))
process.stdin
  .on('end', () => {
    const requests = service.watches.reduce((sum, watch) => sum + watch.stats().requests, 0)
    service.stop()
    console.log(JSON.stringify({ requests }))
    process.exit()
  })
  .resume()
