import autocannon from 'autocannon'
import type { LoadReport, RequestLoad } from './load.ts'

/** Sends the load's requests for so long. Each connection begins elsewhere in the list, so that they do not march in step. */
export async function requestLoad(load: RequestLoad, seconds: number): Promise<LoadReport> {
  let connection = 0
  const result = await autocannon({
    url: load.url,
    connections: load.connections,
    duration: seconds,
    requests: load.requests,
    setupClient(client) {
      const start = Math.floor((connection * load.requests.length) / load.connections)
      connection += 1
      client.setRequests([...load.requests.slice(start), ...load.requests.slice(0, start)])
    },
  })
  const wrong = result.non2xx + result.errors + result.timeouts
  return {
    done: result['2xx'],
    seconds: result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failure:
      wrong === 0
        ? undefined
        : `${result.non2xx} answers were no 2xx, ${result.errors} errors, ${result.timeouts} timeouts`,
  }
}
