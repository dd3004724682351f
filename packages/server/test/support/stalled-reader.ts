import { once } from 'node:events'
import { connect } from 'node:net'
import pg from 'pg'
import { writePosition } from '../../src/domain/events.ts'

/** More than the buffers of both ends of a connection hold. */
const events = 300
const charactersOfEvent = 100_000

/** Writes so many and so large events that a stream of them cannot be done before somebody reads. */
export async function writeLargeEvents(adminUrl: string, tenant: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  try {
    await client.query(
      `with event as (
         insert into events (tenant_id, event_id, category, event_type, resource_type, resource_id, metadata, created_at)
         select $1, 'evt_large_' || n, 'connector', 'connector.degraded', 'connector', 'large',
                jsonb_build_object('text', repeat('x', $2)), date_trunc('milliseconds', now())
         from generate_series(1, $3::int) as n
         returning *)
       insert into audit_entries (tenant_id, entry_id, action, resource_type, resource_id, metadata, created_at)
       select tenant_id, event_id, event_type, resource_type, resource_id, '{}', created_at
       from event`,
      [tenant, charactersOfEvent, events],
    )
  } finally {
    await client.end()
  }
}

/** Asks for a tenant's events from the first one on, and reads none of them. Resolves once the reply has begun to come. */
export async function startStalledReader(url: string, token: string): Promise<Disposable> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  await once(socket, 'connect')
  const headers = [`host: ${hostname}`, `authorization: Bearer ${token}`, `last-event-id: ${writePosition(0)}`]
  socket.write(['GET /v1/events/stream HTTP/1.1', ...headers, '', ''].join('\r\n'))
  await once(socket, 'readable')
  return { [Symbol.dispose]: () => void socket.destroy() }
}
