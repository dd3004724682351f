import assert from 'node:assert/strict'
import { consent } from '../../../sandbox/test/support/flow.ts'
import { newBrowser, type Browser } from '../../../sandbox/test/support/browser.ts'
import { collectionId, spaceId, type CallOptions, type TestService } from './service.ts'

/** The query of an authorize request in the tests' space and collection. */
export function authorizePath(more: Readonly<Record<string, string>> = {}, slug = 'sandbox'): string {
  const query = new URLSearchParams({ collection_id: collectionId, space_id: spaceId, ...more })
  return `/v1/connectors/oauth/${slug}/authorize?${query.toString()}`
}

/** Starts with a bearer, consents at the provider, and answers the callback URL the provider sends the browser to. */
export async function consentedCallback(
  service: TestService,
  options: CallOptions & {
    readonly query?: Readonly<Record<string, string>>
    readonly login?: string
    readonly decision?: 'allow' | 'deny'
    readonly browser?: Browser
    readonly slug?: string
  } = {},
): Promise<URL> {
  const departure = await service.call('GET', authorizePath(options.query, options.slug), options)
  assert.equal(departure.status, 303, await departure.text())
  return consentAt(departure.headers.get('location') ?? '', options)
}

/** Consents at the provider's page and answers where it sends the browser. */
export async function consentAt(
  location: string,
  options: { readonly login?: string; readonly decision?: 'allow' | 'deny'; readonly browser?: Browser } = {},
): Promise<URL> {
  const { browser = newBrowser(), ...choice } = options
  const { leftFor } = await consent(browser, location, choice)
  assert.ok(leftFor, 'the provider did not send the browser back')
  return leftFor
}

/** Connects an account the way a platform's backend does, and answers the connector's id. */
export async function connectAccount(
  service: TestService,
  options: Parameters<typeof consentedCallback>[1] = {},
): Promise<string> {
  const callback = await consentedCallback(service, options)
  const reply = await service.call('GET', callback.pathname + callback.search, options)
  const body = (await reply.json()) as { connector_id: string }
  assert.equal(reply.status, 200, JSON.stringify(body))
  return body.connector_id
}
