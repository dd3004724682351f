import assert from 'node:assert/strict'
import pg from 'pg'
import type { ConnectorRow } from '../../src/store/rows.ts'
import { collectionId, spaceId, type CallOptions, type TestService } from './service.ts'

/** A connector's path in the tests' collection; without an id the collection's. */
export function connectorPath(id: string, rest = ''): string {
  return `/v1/spaces/${spaceId}/collections/${collectionId}/connectors/${id}${rest}`
}

/** What a read of a connector's token answered. */
export interface TokenReading {
  readonly status: number
  readonly accessToken: string | undefined
  readonly code: string | undefined
  readonly retryAfterSeconds: number
}

/** Asks for a connector's access token. */
export async function readToken(
  service: TestService,
  id: string,
  options: Pick<CallOptions, 'token'> & { readonly query?: string } = {},
): Promise<TokenReading> {
  const reply = await service.call('POST', connectorPath(id, `/token${options.query ?? ''}`), options)
  const body = (await reply.json()) as { data?: { access_token: string }; code?: string }
  return {
    status: reply.status,
    accessToken: body.data?.access_token,
    code: body.code,
    retryAfterSeconds: Number(reply.headers.get('retry-after') ?? 0),
  }
}

/** The row as it stands in the database, past row-level security. */
export async function connectorRow(service: TestService, id: string): Promise<ConnectorRow> {
  const [row] = await rows(service, 'select * from connectors where connector_id = $1', [id])
  assert.ok(row)
  // The query names the table the type was generated from.
  return row as unknown as ConnectorRow
}

/** The types of a connector's events, oldest first. */
export async function eventTypes(service: TestService, id: string): Promise<readonly string[]> {
  await service.context.activity.flush()
  const found = await rows(
    service,
    'select event_type from events where resource_id = $1 order by created_at, event_id',
    [id],
  )
  return found.map((row) => String(row['event_type']))
}

/** Runs one statement as a superuser. */
export async function rows(
  service: TestService,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client({ connectionString: service.database.adminUrl })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text, [...values])).rows
  } finally {
    await client.end()
  }
}

/** Whether the provider still takes a token, by its own introspection (RFC 7662). */
export async function isActive(service: TestService, clientSecret: string, token: string): Promise<boolean> {
  const reply = await fetch(`${service.sandbox.issuer}/token/introspection`, {
    method: 'POST',
    body: new URLSearchParams({ token, client_id: 'connector-oauth', client_secret: clientSecret }),
  })
  assert.equal(reply.status, 200)
  return ((await reply.json()) as { active: boolean }).active
}

/** Looks again until something that is under way has happened; fails after ten seconds. */
export async function until(happened: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await happened())) {
    assert.ok(Date.now() < deadline, 'it did not happen')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
