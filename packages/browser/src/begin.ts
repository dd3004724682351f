import { call, type ServiceAccess } from './api.ts'
import { ConnectError } from './connect-error.ts'

/** What to connect, and for whom. */
export interface ConnectRequest extends ServiceAccess {
  /** The provider's slug: `google`, `github`, `slack`. Absent: the user picks one on the service's Connect page. */
  readonly provider?: string | undefined
  /** Which providers the Connect page offers; absent: every one that is set up. */
  readonly providers?: readonly string[] | undefined
  /** UUID of the space. */
  readonly spaceId: string
  /** UUID of the collection. */
  readonly collectionId: string
  /** Names the connector: a known one is connected again in place. */
  readonly connectorId?: string | undefined
  /** Of one provider; at most what its provider app allows. */
  readonly scopes?: readonly string[] | undefined
  /** Whom the provider should expect, such as an e-mail address. Needs `provider`. */
  readonly loginHint?: string | undefined
  /** What a provider must know first, such as the user's subdomain or shop. Needs `provider`; the Connect page asks for it by itself. */
  readonly urlVariables?: Readonly<Record<string, string>> | undefined
  /** Lets a reconnect end at another account of the provider. */
  readonly allowAccountChange?: boolean | undefined
  /** Language of the Connect page, such as `de`; absent: the browser's. */
  readonly locale?: string | undefined
  /** Names that the Connect page shows. */
  readonly display?:
    | {
        readonly tenantName?: string | undefined
        readonly spaceName?: string | undefined
        readonly collectionName?: string | undefined
        readonly startedBy?: string | undefined
      }
    | undefined
  /**
   * A registered landing page of this page's own origin that calls `finishConnect`. With it a connection is finished
   * even where the provider's pages cut the window off from yours; without it nobody can bring the consent back then.
   */
  readonly landingPage?: string | undefined
}

/** A connection that has begun. */
export interface Begun {
  /** The session's id; with `isHosted` that of the connect session. */
  readonly id: string
  /** The user picks on the Connect page, so only the outcome tells the provider and the session. */
  readonly isHosted: boolean
  readonly provider: string | undefined
  /** Where the user goes. */
  readonly url: string
  readonly expiresAt: string
}

export type Mode = 'popup' | 'redirect' | 'link'

/** Asks the service for a session whose outcome may be told to this page's origin or to the landing page. */
export async function begin(request: ConnectRequest, mode: Mode, ttlSeconds?: number): Promise<Begun> {
  const { provider, scopes, connectorId, landingPage } = request
  const isHosted = provider === undefined || mode === 'link'
  const common = {
    space_id: request.spaceId,
    collection_id: request.collectionId,
    connector_id: connectorId,
    scopes,
    allow_account_change: request.allowAccountChange,
    ...(landingPage === undefined ? { origin: location.origin } : { redirect_uri: landingPage }),
  }
  if (isHosted) {
    const { data } = await call<{ data: ConnectSessionCreated }>(request, 'POST', '/v1/connect-sessions', {
      ...common,
      providers: provider === undefined ? request.providers : [provider],
      mode,
      locale: request.locale,
      display: displayOf(request),
      ttl_seconds: ttlSeconds,
    })
    return begun(data.connect_session_id, true, provider, data.connect_url, data.expires_at)
  }
  const path = `/v1/connectors/oauth/${encodeURIComponent(provider)}/sessions`
  const { data } = await call<{ data: SessionCreated }>(request, 'POST', path, {
    ...common,
    login_hint: request.loginHint,
    url_variables: request.urlVariables,
  })
  return begun(data.session_id, false, provider, data.authorize_url, data.expires_at)
}

interface SessionCreated {
  readonly session_id: string
  readonly authorize_url: string
  readonly expires_at: string
}

interface ConnectSessionCreated {
  readonly connect_session_id: string
  readonly connect_url: string
  readonly expires_at: string
}

function begun(id: string, isHosted: boolean, provider: string | undefined, url: string, expiresAt: string): Begun {
  // The window is still of this page's origin when it is sent there: a `javascript:` address would run as this page.
  if (!/^https?:\/\//.test(url)) throw new ConnectError('refused', 'The service answered without a usable address.')
  return { id, isHosted, provider, url, expiresAt }
}

function displayOf({ display }: ConnectRequest): object | undefined {
  return (
    display && {
      tenant_name: display.tenantName,
      space_name: display.spaceName,
      collection_name: display.collectionName,
      started_by: display.startedBy,
    }
  )
}
