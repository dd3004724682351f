import assert from 'node:assert/strict'
import { Agent, request } from 'undici'
import type { FlowLoad, LoadReport } from './load.ts'

/**
 * Goes through whole flows for so long, on each connection one after the other: departure, the provider's consent, the
 * callback. A flow that began in time is finished and counts.
 */
export async function flowLoad(load: FlowLoad, seconds: number): Promise<LoadReport> {
  const dispatcher = new Agent({ connections: load.connections })
  const times: number[] = []
  const begun = performance.now()
  const endsAt = begun + seconds * 1000
  let next = 0
  const worker = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const departure = load.departures[next % load.departures.length]
      assert.ok(departure)
      next += 1
      const started = performance.now()
      await oneFlow(load.url, departure, dispatcher)
      times.push(performance.now() - started)
    }
  }
  try {
    await Promise.all(Array.from({ length: load.connections }, worker))
  } finally {
    await dispatcher.close()
  }
  const sorted = times.toSorted((a, b) => a - b)
  const quantile = (q: number): number => sorted[Math.floor(q * (sorted.length - 1))] ?? 0
  return {
    done: times.length,
    seconds: (performance.now() - begun) / 1000,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    failure: undefined,
  }
}

async function oneFlow(url: string, departure: FlowLoad['departures'][number], dispatcher: Agent): Promise<void> {
  const { headers } = departure
  const departed = await step(url + departure.path, headers, dispatcher)
  assert.ok(departed.location, `the departure answered ${departed.status}`)
  const consented = await step(departed.location, {}, dispatcher)
  assert.ok(consented.location, `the provider answered ${consented.status}`)
  // The redirect URI names the public address; the server listens on loopback.
  const callback = new URL(consented.location)
  const cookie = departed.cookie === undefined ? {} : { cookie: departed.cookie }
  const connected = await step(url + callback.pathname + callback.search, { ...headers, ...cookie }, dispatcher)
  assert.equal(connected.status, 200, 'the callback did not connect')
}

async function step(url: string, headers: Readonly<Record<string, string>>, dispatcher: Agent) {
  const reply = await request(url, { headers, dispatcher })
  await reply.body.dump()
  const { location, 'set-cookie': cookies } = reply.headers
  const cookie = typeof cookies === 'string' ? cookies : cookies?.[0]
  return {
    status: reply.statusCode,
    location: typeof location === 'string' ? location : undefined,
    cookie: cookie?.split(';', 1)[0],
  }
}
