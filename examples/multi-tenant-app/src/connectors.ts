import { ConnectorOAuth, ConnectorOAuthError, verifyWebhook, type WebhookHeaders } from '@connector-oauth/node'
import type { Account } from './pages.ts'
import type { Tenant, User } from './people.ts'
import type { Tokens } from './tokens.ts'

/** What this app does with its users' accounts. */
export interface Connectors {
  readonly baseUrl: string
  /** Registers the landing page and the webhook of every tenant; once, at the start. */
  setUp(tenants: readonly Tenant[], app: { readonly origin: string }): Promise<void>
  accounts(user: User): Promise<readonly Account[]>
  /** Calls the provider, for the user; words for the user when that cannot be. */
  profile(user: User, connectorId: string): Promise<string>
  /** What the user would do at the provider, under *apps with access to your account*. */
  removeAccess(user: User, connectorId: string): Promise<string>
  disconnect(user: User, connectorId: string): Promise<string>
  /** Takes a webhook's message; answers whether it came from the service. */
  hear(tenantId: string, headers: WebhookHeaders, body: string): boolean
}

/** How an account is, in its user's words. */
const states: Readonly<Record<string, string>> = {
  active: 'Connected',
  degraded: 'The provider has trouble; it is tried again',
  reauth_required: 'Has to be connected again',
  paused: 'Paused',
}
const accessEnded = 'The provider no longer lets us in. Connect the account again.'
/** What a refusal means to a user; the code is for whoever is asked for help. */
const refusals: Readonly<Record<string, string>> = {
  reauth_required: accessEnded,
  connector_unknown: 'There is no such account of yours.',
}

/** `onChange` is told when something changed for a tenant. */
export function createConnectors(baseUrl: string, tokens: Tokens, onChange: (tenantId: string) => void): Connectors {
  const secrets = new Map<string, string>()
  const connectorsOf = (user: User) => {
    const client = new ConnectorOAuth({ baseUrl, authorization: () => tokens.forUser(user) })
    return client.connectors({ spaceId: user.tenant.spaceId, collectionId: user.collectionId })
  }

  return {
    baseUrl,
    async setUp(tenants, { origin }) {
      for (const tenant of tenants) {
        const { admin } = new ConnectorOAuth({ baseUrl, authorization: () => tokens.forSetUp(tenant) })
        await admin.setRedirectUris([{ uri: `${origin}/connected`, kind: 'landing' }])
        for await (const { id } of admin.webhooks.list()) await admin.webhooks.remove(id)
        const webhook = await admin.webhooks.create({
          url: `${origin}/hooks/${tenant.id}`,
          event_types: ['connector.*'],
        })
        secrets.set(tenant.id, webhook.secret)
      }
    },
    async accounts(user) {
      const accounts: Account[] = []
      for await (const connector of connectorsOf(user).list()) {
        if (connector.status === 'disconnected') continue
        const { id, provider_slug: provider, account, status } = connector
        const name = `${provider}: ${account?.name ?? id}`
        accounts.push({ id, name, state: states[status] ?? status, needsPerson: status === 'reauth_required' })
      }
      return accounts
    },
    async profile(user, connectorId) {
      return inWords(async () => {
        const reply = await connectorsOf(user).connector(connectorId).fetch('/profile')
        if (reply.status === 401) return accessEnded
        if (!reply.ok) return `The provider could not answer (${reply.status}). Try again later.`
        const profile = (await reply.json()) as { name: string; email: string }
        return `The provider says: ${profile.name}, ${profile.email}`
      })
    },
    removeAccess: (user, connectorId) =>
      inWords(async () => {
        await connectorsOf(user).connector(connectorId).fetch('/access', { method: 'DELETE' })
        return 'The provider has ended the access. Nobody here knows yet.'
      }),
    disconnect: (user, connectorId) =>
      inWords(async () => {
        await connectorsOf(user).connector(connectorId).disconnect()
        return 'Disconnected. The tokens are destroyed.'
      }),
    hear(tenantId, headers, body) {
      const secret = secrets.get(tenantId)
      if (secret === undefined || !isGenuine(secret, headers, body)) return false
      // A real app would also send a mail when a connector needs its user; here the open pages show a banner.
      onChange(tenantId)
      return true
    },
  }
}

/** Whether the service has signed this, and lately. */
function isGenuine(secret: string, headers: WebhookHeaders, body: string): boolean {
  try {
    verifyWebhook(secret, headers, body)
    return true
  } catch (error) {
    if (error instanceof ConnectorOAuthError) return false
    throw error
  }
}

/** What the service refuses is told; anything else is a fault of this app. */
async function inWords(act: () => Promise<string>): Promise<string> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof ConnectorOAuthError)
      return refusals[error.code] ?? `That did not work (${error.code}). Try again later.`
    throw error
  }
}
