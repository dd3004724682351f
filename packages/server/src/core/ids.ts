/**
 * Core: words without I/O. This file holds the ids; a bare `string` identifies nothing.
 */
import { createHash, randomBytes } from 'node:crypto'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** An isolated customer of the platform: 1 to 128 visible characters. */
export type TenantId = Branded<'TenantId'>
/** The platform's resource, a lower-case UUID. */
export type SpaceId = Branded<'SpaceId'>
/** The platform's resource inside a space, a lower-case UUID. */
export type CollectionId = Branded<'CollectionId'>
/** `^[A-Za-z0-9_-]{1,64}$`, minted as `conn_…`. */
export type ConnectorId = Branded<'ConnectorId'>
/** `^[a-z0-9]+(-[a-z0-9]+)*$`; custom providers are `c-<random>`. */
export type ProviderSlug = Branded<'ProviderSlug'>
/** One attempt to authorize, `ses_…`; shown to the platform as `session_id`. */
export type TransactionId = Branded<'TransactionId'>
/** A lease, `lse_…`; its bearer is another text, `lease_…`. */
export type LeaseId = Branded<'LeaseId'>
/** An endpoint that events are delivered to, `whk_…`. */
export type WebhookId = Branded<'WebhookId'>
/** A hosted Connect page's session, `cs_…`; its attempts are transactions. */
export type ConnectSessionId = Branded<'ConnectSessionId'>
/** Digest that names a context: tenant, provider definition, endpoints, issuer, provider app. */
export type ContextId = Branded<'ContextId'>

// The one place where text becomes a brand: callers validated the text at the edge or read it from the store.
export const tenantId = (text: string): TenantId => text as TenantId
export const spaceId = (text: string): SpaceId => text.toLowerCase() as SpaceId
export const collectionId = (text: string): CollectionId => text.toLowerCase() as CollectionId
export const connectorId = (text: string): ConnectorId => text as ConnectorId
export const providerSlug = (text: string): ProviderSlug => text as ProviderSlug
export const transactionId = (text: string): TransactionId => text as TransactionId
export const contextId = (text: string): ContextId => text as ContextId
export const webhookId = (text: string): WebhookId => text as WebhookId
export const connectSessionId = (text: string): ConnectSessionId => text as ConnectSessionId
export const leaseId = (text: string): LeaseId => text as LeaseId

/** 256 random bits as 43 base64url characters (ASVS 11.5.1). */
export function randomHandle(): string {
  return randomBytes(32).toString('base64url')
}

export const mintConnectorId = (): ConnectorId => connectorId(`conn_${randomBytes(16).toString('base64url')}`)
export const mintTransactionId = (): TransactionId => transactionId(`ses_${randomBytes(16).toString('base64url')}`)
export const mintWebhookId = (): WebhookId => webhookId(`whk_${randomBytes(16).toString('base64url')}`)
export const mintLeaseId = (): LeaseId => leaseId(`lse_${randomBytes(16).toString('base64url')}`)
export const mintConnectSessionId = (): ConnectSessionId =>
  connectSessionId(`cs_${randomBytes(16).toString('base64url')}`)
/** Custom providers get a slug, and so a redirect URI, of their own. */
export const mintProviderSlug = (): ProviderSlug => providerSlug(`c-${randomBytes(8).toString('hex')}`)
/** Whether a slug is of the form that custom providers get. */
export const isCustomSlug = (slug: ProviderSlug): boolean => /^c-[0-9a-f]{16}$/.test(slug)
/** Of an entry in the record that stands for no event. */
export const mintAuditId = (): string => `aud_${randomBytes(16).toString('base64url')}`
export const mintEventId = (): string => `evt_${randomBytes(16).toString('base64url')}`

/**
 * How a handle (state, ticket, completion code) is stored and looked up.
 *
 * The handles carry 256 random bits, so a plain SHA-256 is enough, and a lookup by digest
 * leaks nothing through timing.
 */
export function handleDigest(handle: string): Buffer {
  return createHash('sha256').update(handle).digest()
}
