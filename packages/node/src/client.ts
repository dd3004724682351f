import { AccessTokens } from './access-tokens.ts'
import { Admin } from './admin.ts'
import type {
  Caller,
  Completion,
  Connected,
  ConnectSession,
  ConnectSessionRequest,
  ConnectSessionState,
  Provider,
  Session,
  SessionRequest,
  SessionState,
} from './api-types.ts'
import type { Collection } from './connector.ts'
import { Connectors } from './connectors.ts'
import { Events } from './events.ts'
import { Transport, type ClientOptions } from './transport.ts'

/** Everything one bearer may do. Cheap to make: one for each user and request is fine, one for a service is better. */
export class ConnectorOAuth {
  readonly events: Events
  readonly admin: Admin
  readonly #options: ClientOptions
  readonly #transport: Transport
  #tokens = new AccessTokens()

  constructor(options: ClientOptions) {
    this.#options = options
    this.#transport = new Transport(options)
    this.events = new Events(this.#transport)
    this.admin = new Admin(this.#transport)
  }

  /** The same client, whose calls end with the signal, such as that of the request that is being answered. */
  withSignal(signal: AbortSignal): ConnectorOAuth {
    const own = this.#options.signal
    const client = new ConnectorOAuth({ ...this.#options, signal: own ? AbortSignal.any([own, signal]) : signal })
    client.#tokens = this.#tokens
    return client
  }

  /** The connectors of a collection. */
  connectors(collection: Collection): Connectors {
    return new Connectors(this.#transport, this.#tokens, collection)
  }

  /** `GET /v1/me`: what the service makes of the bearer. */
  me(): Promise<Caller> {
    return this.#transport.data({ method: 'GET', path: '/v1/me' })
  }

  /** `GET /v1/connector-providers`: what this tenant can connect. */
  providers(): Promise<readonly Provider[]> {
    return this.#transport.data({ method: 'GET', path: '/v1/connector-providers' })
  }

  /**
   * `POST /v1/connect-sessions`: a hosted page where a user picks a provider and consents. Make it with the bearer of that
   * user: whoever starts is who finishes. `connect_url` carries a secret in its fragment.
   */
  createConnectSession(request: ConnectSessionRequest): Promise<ConnectSession> {
    return this.#transport.data({ method: 'POST', path: '/v1/connect-sessions', body: request })
  }

  /** `GET /v1/connect-sessions/{connect_session_id}` */
  connectSession(id: string): Promise<ConnectSessionState> {
    return this.#transport.data({ method: 'GET', path: `/v1/connect-sessions/${encodeURIComponent(id)}` })
  }

  /** `POST …/{provider_slug}/sessions`: straight to one provider's consent. `authorize_url` opens once, within two minutes. */
  createSession(provider: string, request: SessionRequest): Promise<Session> {
    return this.#transport.data({ method: 'POST', path: `${oauthPath(provider)}/sessions`, body: request })
  }

  /** `GET …/sessions/{session_id}`: how far it has come. Reading completes nothing. */
  session(id: string): Promise<SessionState> {
    return this.#transport.data({ method: 'GET', path: `/v1/connectors/oauth/sessions/${encodeURIComponent(id)}` })
  }

  /** `POST …/{provider_slug}/complete`, with the bearer of the user who started and the code that their browser brought. */
  complete(provider: string, completion: Completion): Promise<Connected> {
    return this.#transport.json({ method: 'POST', path: `${oauthPath(provider)}/complete`, body: completion })
  }
}

const oauthPath = (provider: string): string => `/v1/connectors/oauth/${encodeURIComponent(provider)}`
