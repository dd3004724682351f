import type { AccessTokens, Freshness } from './access-tokens.ts'
import type {
  AccessToken,
  Connector as ConnectorData,
  ConnectorPatch,
  DisconnectedConnector,
  Lease,
  LeaseRequest,
  NewLease,
} from './api-types.ts'
import { errorOf } from './errors.ts'
import { listOf, type List } from './pages.ts'
import { readLimited } from './read-limited.ts'
import { unlessAborted } from './signals.ts'
import type { Transport } from './transport.ts'

/** The resource of the platform that connectors belong to. */
export interface Collection {
  readonly spaceId: string
  readonly collectionId: string
}

const maxRefusalBytes = 65_536
const refusalWithinMs = 10_000

/** The path of a collection's connectors. */
export function connectorsPath({ spaceId, collectionId }: Collection): string {
  return `/v1/spaces/${encodeURIComponent(spaceId)}/collections/${encodeURIComponent(collectionId)}/connectors`
}

/** One connected account, by its id. Making it asks nothing. */
export class Connector {
  readonly id: string
  readonly #path: string
  readonly #transport: Transport
  readonly #tokens: AccessTokens

  constructor(transport: Transport, tokens: AccessTokens, collection: Collection, id: string) {
    this.id = id
    this.#path = `${connectorsPath(collection)}/${encodeURIComponent(id)}`
    this.#transport = transport
    this.#tokens = tokens
  }

  /** `GET …/{connector_id}` */
  get(): Promise<ConnectorData> {
    return this.#transport.data({ method: 'GET', path: this.#path })
  }

  /** `PATCH …/{connector_id}`: name, pause, what to sync, what the proxy may do. */
  update(patch: ConnectorPatch): Promise<ConnectorData> {
    return this.#transport.data({ method: 'PATCH', path: this.#path, body: patch, isRepeatable: true })
  }

  /**
   * `DELETE …/{connector_id}`: the tokens are destroyed before this answers; `revocation` says how telling the provider
   * goes on, and its end comes as an event.
   */
  async disconnect(): Promise<DisconnectedConnector> {
    try {
      return await this.#transport.data({ method: 'DELETE', path: this.#path })
    } finally {
      this.#tokens.forget(this.#path)
    }
  }

  /**
   * `POST …/{connector_id}/token`: an access token that is fresh for a while, from memory where possible. Needs
   * `connectors:token`; whoever can use `fetch` instead never holds a token.
   */
  async getAccessToken(freshness: Freshness = {}): Promise<AccessToken> {
    const { signal } = this.#transport
    signal?.throwIfAborted()
    const token = this.#tokens.get(this.#path, freshness, (minTtlSeconds) =>
      this.#transport.data({
        method: 'POST',
        path: `${this.#path}/token`,
        body: { min_ttl: minTtlSeconds },
        isRepeatable: true,
        isShared: true,
      }),
    )
    return unlessAborted(token, signal)
  }

  /** After the provider refused a token that `getAccessToken` gave: the next call asks the service again. */
  forgetAccessToken(): void {
    this.#tokens.forget(this.#path)
  }

  /**
   * Calls the provider's API through the proxy, as `fetch` would; the service adds the token. `path` begins with a slash and is
   * joined to the provider's API address. Bodies stream both ways. The provider's redirects are answered, not followed.
   *
   * Answers whatever the provider answers. Throws `ConnectorOAuthError` when it was the service that refused.
   */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    if (!path.startsWith('/')) throw new TypeError('The path must begin with a slash')
    // Node.js wants to be told that a body is sent before the answer is read.
    const reply = await this.#transport.send(`${this.#path}/proxy${path}`, { ...init, duplex: 'half' })
    if (!reply.headers.has('x-connector-error')) return reply
    const text = await readLimited(reply, maxRefusalBytes, AbortSignal.timeout(refusalWithinMs))
    throw errorOf(reply, refusal(text, reply))
  }

  /** `POST …/leases`: lends the proxy for some methods, paths, calls and seconds. The answer's `lease` is shown once. */
  lend(request: LeaseRequest): Promise<NewLease> {
    return this.#transport.data({ method: 'POST', path: `${this.#path}/leases`, body: request })
  }

  /** `GET …/leases` */
  leases(): List<Lease> {
    return listOf(this.#transport, `${this.#path}/leases`, {})
  }

  /** `DELETE …/leases/{lease_id}` */
  revokeLease(leaseId: string): Promise<void> {
    return this.#transport.remove(`${this.#path}/leases/${encodeURIComponent(leaseId)}`, 'lease_unknown')
  }
}

function refusal(text: string, reply: Response): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // An answer to HEAD has no body; the header has the code.
    return { code: reply.headers.get('x-connector-error'), detail: undefined }
  }
}
