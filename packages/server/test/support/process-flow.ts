import assert from 'node:assert/strict'
import { get, type IncomingHttpHeaders } from 'node:http'
import { collectionId, spaceId, type CallOptions } from './service.ts'
import { platformOrigin, type ServiceProcess } from './service-process.ts'

/** The steps of a connection against a service process, each one request. */
export type Steps = Pick<ServiceProcess, 'url' | 'call'>

export const connectorsPath = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors`

/** Adds a provider of the tenant's own and answers its slug and redirect URI. */
export async function addProvider(
  service: Steps,
  definition: Readonly<Record<string, unknown>>,
  options: Pick<CallOptions, 'token'> = {},
): Promise<{ readonly slug: string; readonly redirectUri: string }> {
  const reply = await service.call('POST', '/v1/admin/connector-providers', { body: definition, ...options })
  const text = await reply.text()
  assert.equal(reply.status, 201, text)
  const { data } = JSON.parse(text) as { data: { provider_slug: string; redirect_uri: string } }
  return { slug: data.provider_slug, redirectUri: data.redirect_uri }
}

/** Starts with a bearer and answers where the browser is sent. */
export async function depart(
  service: Steps,
  slug: string,
  more: Readonly<Record<string, string>> = {},
  options: Pick<CallOptions, 'token'> = {},
): Promise<string> {
  const query = new URLSearchParams({ collection_id: collectionId, space_id: spaceId, ...more })
  const reply = await service.call('GET', `/v1/connectors/oauth/${slug}/authorize?${query.toString()}`, options)
  assert.equal(reply.status, 303, await reply.text())
  return reply.headers.get('location') ?? ''
}

/** Brings the callback with a bearer. */
export async function returnWithBearer(service: Steps, callback: URL): Promise<Response> {
  return service.call('GET', callback.pathname + callback.search)
}

/** Where a browser's navigation led. */
interface Navigated {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
}

/** Opens an address as a browser does at the deployment's public address; `fetch` would not send these headers. */
function navigate(service: Steps, path: string, cookie = ''): Promise<Navigated> {
  const headers = {
    accept: 'text/html',
    host: 'connectors.example',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    ...(cookie !== '' && { cookie }),
  }
  return new Promise((resolve, reject) => {
    const request = get(service.url + path, { headers, agent: false }, (reply) => {
      reply.resume()
      reply.once('end', () => resolve({ status: reply.statusCode, headers: reply.headers }))
      reply.once('error', reject)
    })
    // In the words of `fetch`, so that callers tell a broken connection from a wrong answer.
    request.once('error', (error) => reject(new TypeError('The connection broke', { cause: error })))
  })
}

/** A popup's start: the ticket's session, where the browser is sent, and the cookie it was given. */
export interface PopupDeparture {
  readonly sessionId: string
  readonly ticket: string
  readonly cookie: string
  readonly location: string
}

export async function departByTicket(service: Steps, slug: string): Promise<PopupDeparture> {
  const created = await service.call('POST', `/v1/connectors/oauth/${slug}/sessions`, {
    body: { collection_id: collectionId, space_id: spaceId, origin: platformOrigin },
  })
  const text = await created.text()
  assert.equal(created.status, 201, text)
  const { data } = JSON.parse(text) as { data: { session_id: string; token: string; authorize_url: string } }
  const target = new URL(data.authorize_url)
  const departure = await navigate(service, target.pathname + target.search)
  assert.equal(departure.status, 303)
  return {
    sessionId: data.session_id,
    ticket: data.token,
    cookie: (departure.headers['set-cookie']?.[0] ?? '').split(';', 1)[0] ?? '',
    location: departure.headers.location ?? '',
  }
}

/** Brings the callback as the popup does; `undefined` when it was refused. */
export async function park(service: Steps, callback: URL, cookie: string): Promise<string | undefined> {
  const { status, headers } = await navigate(service, callback.pathname + callback.search, cookie)
  if (status !== 303 || headers.location === undefined) return undefined
  return new URLSearchParams(new URL(headers.location).hash.slice(1)).get('completion_code') ?? undefined
}

export async function completeParked(
  service: Steps,
  slug: string,
  sessionId: string,
  completionCode: string,
): Promise<Response> {
  return service.call('POST', `/v1/connectors/oauth/${slug}/complete`, {
    body: { session_id: sessionId, completion_code: completionCode },
  })
}

export async function readToken(service: Steps, connectorId: string, query = ''): Promise<Response> {
  return service.call('POST', `${connectorsPath}/${connectorId}/token${query}`)
}

/** The access token of a reply that must be good. */
export async function accessTokenOf(reply: Response): Promise<string> {
  const text = await reply.text()
  assert.equal(reply.status, 200, text)
  const { data } = JSON.parse(text) as { data: { access_token: string } }
  return data.access_token
}

/** The connector's id from a callback's or a completion's answer; `undefined` when it was no success. */
export async function connectedId(reply: Response): Promise<string | undefined> {
  const text = await reply.text()
  if (reply.status !== 200) return undefined
  return (JSON.parse(text) as { connector_id: string }).connector_id
}
