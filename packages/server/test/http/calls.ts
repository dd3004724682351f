import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { SignJWT, type JWTHeaderParameters } from 'jose'
import pg from 'pg'
import { consentAt } from '../support/consent.ts'
import { allRights, collectionId, spaceId, type CallOptions, type TestService } from '../support/service.ts'

export type Json = Readonly<Record<string, unknown>>

export const connectorsPath = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors`
export const otherId = '99999999-e89b-42d3-a456-426614174999'
/** What a browser sends when it opens a page of its own. */
export const browser = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'cross-site',
}

/** A JSON object as the service sent it. */
export async function jsonOf(reply: Response): Promise<Json> {
  return (await reply.json()) as Json
}

/** The `data` of a success body. */
export async function dataOf<T = Json>(reply: Response, status = 200): Promise<T> {
  const text = await reply.text()
  assert.equal(reply.status, status, text)
  return (JSON.parse(text) as { data: T }).data
}

/** Holds an answer against the contract's error body: sentence and stable code, and nothing else below 500. */
export async function assertProblem(reply: Response, status: number, code: string): Promise<Json> {
  const text = await reply.text()
  assert.equal(reply.status, status, text)
  const body = JSON.parse(text) as Json
  assert.equal(body['code'], code, text)
  assert.match(String(body['detail']), /^.{10,}$/)
  assert.deepEqual(Object.keys(body), status >= 500 ? ['detail', 'code', 'correlation_id'] : ['detail', 'code'])
  return body
}

/** A token with any claims and any header, signed with the service's own secret unless `key` says otherwise. */
export async function signed(
  service: TestService,
  claims: Json,
  header: Partial<JWTHeaderParameters> = {},
  key?: Parameters<SignJWT['sign']>[0],
): Promise<string> {
  const now = Math.floor(service.clock.now().getTime() / 1000)
  const payload = { sub: 'ada', tenant_id: 'acme', scope: allRights, exp: now + 600, ...claims }
  const secret = Buffer.from(service.jwtSecret?.reveal() ?? '', 'utf8')
  return new SignJWT(payload).setProtectedHeader({ alg: 'HS256', ...header }).sign(key ?? secret)
}

/** A request without any credentials. */
export function anonymous(
  service: TestService,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<Response> {
  return send(service.url + path, { method, headers })
}

/** A request with exactly these headers; `fetch` writes its own `Sec-Fetch-Mode`, which no browser's navigation has. */
export async function send(
  url: string | URL,
  options: {
    readonly method?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string
  } = {},
): Promise<Response> {
  const { method = 'GET', headers = {}, body } = options
  const sent = request(url, { method, headers })
  sent.end(body)
  const [reply] = (await once(sent, 'response')) as [IncomingMessage]
  const content = await buffer(reply)
  const pairs = Object.entries(reply.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  )
  const status = reply.statusCode ?? 0
  return new Response([204, 304].includes(status) ? null : content, { status, headers: pairs })
}

export interface StartedSession {
  readonly session_id: string
  readonly token: string
  readonly authorize_url: string
  readonly expires_at: string
}

export async function startSession(
  service: TestService,
  body: Json = {},
  options: CallOptions & { readonly slug?: string } = {},
): Promise<StartedSession> {
  const { slug = 'sandbox', ...call } = options
  const path = `/v1/connectors/oauth/${slug}/sessions`
  const content = { collection_id: collectionId, space_id: spaceId, ...body }
  return dataOf<StartedSession>(await service.call('POST', path, { ...call, body: content }), 201)
}

export function sessionStatus(service: TestService, sessionId: string, options: CallOptions = {}): Promise<Json> {
  return service.call('GET', `/v1/connectors/oauth/sessions/${sessionId}`, options).then((reply) => dataOf(reply))
}

export function complete(
  service: TestService,
  body: Json,
  options: CallOptions & { readonly slug?: string } = {},
): Promise<Response> {
  const { slug = 'sandbox', ...call } = options
  return service.call('POST', `/v1/connectors/oauth/${slug}/complete`, { ...call, body })
}

/** Opens a session's ticket as a browser does, consents, and answers where the provider sends the browser. */
export async function consentedTicket(
  service: TestService,
  session: Pick<StartedSession, 'authorize_url'>,
  login?: string,
): Promise<{ readonly callback: URL; readonly cookies: string }> {
  const departure = await send(session.authorize_url, { headers: browser })
  assert.equal(departure.status, 303, await departure.text())
  const location = departure.headers.get('location') ?? ''
  const callback = await consentAt(location, login === undefined ? {} : { login })
  return { callback, cookies: cookiesOf(departure) }
}

/** The `Cookie` header that sends back what a reply set. */
export function cookiesOf(reply: Response): string {
  return reply.headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0] ?? '')
    .join('; ')
}

/** Ends in the parked state: the browser is back, and only the completion code is missing. */
export async function parkedSession(
  service: TestService,
  body: Json = {},
  options: CallOptions & { readonly login?: string } = {},
): Promise<{ readonly sessionId: string; readonly completionCode: string; readonly callback: URL }> {
  const { login, ...call } = options
  const session = await startSession(service, { origin: service.url, ...body }, call)
  const { callback, cookies } = await consentedTicket(service, session, login)
  const back = await send(callback, { headers: { ...browser, cookie: cookies } })
  assert.equal(back.status, 303, await back.text())
  const fragment = new URLSearchParams(new URL(back.headers.get('location') ?? '').hash.slice(1))
  const completionCode = fragment.get('completion_code') ?? ''
  assert.ok(completionCode.length >= 43)
  return { sessionId: session.session_id, completionCode, callback }
}

/** Sends a callback as a script does: `Accept: application/json`, with a bearer unless `token` is null. */
export async function sendCallback(
  service: TestService,
  callback: URL,
  options: CallOptions & { readonly slug?: string } = {},
): Promise<Response> {
  const { slug, ...call } = options
  const path = slug === undefined ? callback.pathname : `/v1/connectors/oauth/${slug}/callback`
  return service.call('GET', path + callback.search, call)
}

/** A look into the tables as a superuser. */
export async function rows<Row extends Json = Json>(
  service: TestService,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: service.database.adminUrl })
  await client.connect()
  try {
    return (await client.query<Row>(text, [...values])).rows
  } finally {
    await client.end()
  }
}

export async function countOf(service: TestService, table: 'transactions' | 'connectors' | 'events'): Promise<number> {
  const [row] = await rows<{ n: number }>(service, `select count(*)::int as n from ${table}`)
  return row?.n ?? -1
}

export interface EventBody {
  readonly id: string
  readonly tenant_id: string
  readonly category: string
  readonly event_type: string
  readonly actor_id: string | null
  readonly resource_type: string
  readonly resource_id: string
  readonly metadata: Json
  readonly created_at: string
}

export async function eventsOf(
  service: TestService,
  query: Readonly<Record<string, string>> = {},
  options: CallOptions = {},
): Promise<readonly EventBody[]> {
  const search = new URLSearchParams({ limit: '100', ...query })
  return dataOf<readonly EventBody[]>(await service.call('GET', `/v1/events?${search.toString()}`, options))
}

/**
 * Runs requests that all want the same thing, and keeps it locked until several wait for it: without that the first is
 * done before the second has a database connection, and nothing races.
 */
export async function racing<T>(
  service: TestService,
  work: () => Promise<T>,
  lock = 'select 1 from transactions for update',
): Promise<T> {
  const client = new pg.Client({ connectionString: service.database.adminUrl })
  await client.connect()
  try {
    await client.query('begin')
    await client.query(lock)
    const running = work()
    for (let looks = 0, waiting = 0; waiting < 5; looks += 1) {
      assert.ok(looks < 10_000, 'the requests did not come to wait for one row')
      const { rows: found } = await client.query<{ n: number }>(
        `select count(*)::int as n
         from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`,
      )
      waiting = found[0]?.n ?? 0
      // Statistics are a snapshot for the length of a transaction.
      await client.query('select pg_stat_clear_snapshot()')
    }
    await client.query('commit')
    return await running
  } finally {
    await client.end()
  }
}
