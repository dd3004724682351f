import { randomUUID } from 'node:crypto'
import type {
  AdminProvider,
  AdminProviderPatch,
  Appearance,
  AppearanceChange,
  AuditCheckpoint,
  AuditEntry,
  AuditFilter,
  AuditKey,
  Connector,
  CustomProvider,
  DataKey,
  Deployment,
  KeyFigures,
  MassRevocation,
  MassRevocationFilter,
  MassRevocationReceipt,
  MassRevocationRequest,
  OverviewFigures,
  RedirectUris,
  TenantConnectorFilter,
} from './api-types.ts'
import { listOf, type List } from './pages.ts'
import type { Transport } from './transport.ts'
import { Webhooks } from './webhook-endpoints.ts'

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>

/** What needs `connectors:admin`: the tenant's providers, redirect URIs, webhooks, keys, audit record and kill switch. */
export class Admin {
  readonly webhooks: Webhooks
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
    this.webhooks = new Webhooks(transport)
  }

  /** `GET /v1/admin/connectors`: every connector of the tenant, newest first. */
  connectors(filter: TenantConnectorFilter = {}): List<Connector> {
    return listOf(this.#transport, '/v1/admin/connectors', filter)
  }

  /** `GET /v1/admin/overview` */
  overview(hours: 24 | 168 | 720 = 24): Promise<OverviewFigures> {
    return this.#transport.data({ method: 'GET', path: '/v1/admin/overview', query: { hours } })
  }

  /** `GET /v1/admin/settings`: what an administrator may know of the deployment. */
  deployment(): Promise<Deployment> {
    return this.#transport.data({ method: 'GET', path: '/v1/admin/settings' })
  }

  /** `GET /v1/admin/connector-providers` */
  providers(): Promise<readonly AdminProvider[]> {
    return this.#transport.data({ method: 'GET', path: '/v1/admin/connector-providers' })
  }

  /** `GET /v1/admin/connector-providers/{provider_slug}` */
  provider(slug: string): Promise<AdminProvider> {
    return this.#transport.data({ method: 'GET', path: providerPath(slug) })
  }

  /** `PATCH /v1/admin/connector-providers/{provider_slug}`: the tenant's own client at this provider. */
  setUpProvider(slug: string, patch: AdminProviderPatch): Promise<AdminProvider> {
    return this.#transport.data({ method: 'PATCH', path: providerPath(slug), body: patch, isRepeatable: true })
  }

  /** `POST /v1/admin/connector-providers`: a provider that the catalogue lacks. */
  addProvider(provider: CustomProvider): Promise<AdminProvider> {
    return this.#transport.data({ method: 'POST', path: '/v1/admin/connector-providers', body: provider })
  }

  /** `DELETE /v1/admin/connector-providers/{provider_slug}` */
  removeProvider(slug: string): Promise<void> {
    return this.#transport.remove(providerPath(slug), 'provider_unknown')
  }

  /** `GET /v1/admin/tenant/redirect-uris` */
  redirectUris(): Promise<RedirectUris> {
    return this.#transport.data({ method: 'GET', path: '/v1/admin/tenant/redirect-uris' })
  }

  /** `PUT /v1/admin/tenant/redirect-uris`: the whole list; what is not in it is gone. */
  setRedirectUris(uris: RedirectUris): Promise<RedirectUris> {
    return this.#transport.data({ method: 'PUT', path: '/v1/admin/tenant/redirect-uris', body: uris })
  }

  /** `GET /v1/admin/tenant/appearance`: how the hosted Connect page looks. */
  appearance(): Promise<Appearance> {
    return this.#transport.data({ method: 'GET', path: '/v1/admin/tenant/appearance' })
  }

  /** `PUT /v1/admin/tenant/appearance` */
  setAppearance(appearance: AppearanceChange): Promise<Appearance> {
    return this.#transport.data({ method: 'PUT', path: '/v1/admin/tenant/appearance', body: appearance })
  }

  /** `GET /v1/admin/keys` */
  keys(): Promise<KeyFigures> {
    return this.#transport.data({ method: 'GET', path: '/v1/admin/keys' })
  }

  /** `POST /v1/admin/keys/rotate`: a new data key for the tenant; values are sealed anew in the background. */
  rotateKey(): Promise<DataKey> {
    return this.#transport.data({ method: 'POST', path: '/v1/admin/keys/rotate' })
  }

  /**
   * `POST /v1/admin/revocations`: disconnects every connector that fits. An empty request means all of them. One order
   * however often it has to be sent: it goes with an `Idempotency-Key`.
   */
  revoke(request: MassRevocationRequest, idempotencyKey: string = randomUUID()): Promise<MassRevocation> {
    return this.#transport.data({
      method: 'POST',
      path: '/v1/admin/revocations',
      body: request,
      headers: { 'idempotency-key': idempotencyKey },
      isRepeatable: true,
    })
  }

  /** `GET /v1/admin/revocations` */
  revocations(filter: MassRevocationFilter = {}): List<MassRevocation> {
    return listOf(this.#transport, '/v1/admin/revocations', filter)
  }

  /** `GET /v1/admin/revocations/{id}`: how far an order has come. */
  revocation(id: string): Promise<MassRevocation> {
    return this.#transport.data({ method: 'GET', path: revocationPath(id) })
  }

  /** The receipts of an order, one for each connector. */
  async *receipts(id: string): AsyncGenerator<MassRevocationReceipt, void, undefined> {
    let cursor: string | undefined
    do {
      const { data, meta } = await this.#transport.json<{
        readonly data: { readonly receipts: readonly MassRevocationReceipt[] }
        readonly meta: { readonly next_cursor: string | null }
      }>({ method: 'GET', path: revocationPath(id), query: { cursor } })
      yield* data.receipts
      cursor = meta.next_cursor ?? undefined
    } while (cursor !== undefined)
  }

  /** `GET /v1/admin/revocations/{id}/report`: the receipts as a file. */
  revocationReport(id: string, format: 'csv' | 'jsonl' = 'csv'): Promise<Bytes> {
    return this.#transport.stream({ method: 'GET', path: `${revocationPath(id)}/report`, query: { format } })
  }

  /** `GET /v1/admin/audit` */
  audit(filter: AuditFilter = {}): List<AuditEntry> {
    return listOf(this.#transport, '/v1/admin/audit', filter)
  }

  /** `GET /v1/admin/audit/export`: JSON lines that `connector-oauth audit verify --file` checks offline. */
  auditExport(range: { readonly fromPosition?: number; readonly toPosition?: number } = {}): Promise<Bytes> {
    const query = { from_position: range.fromPosition, to_position: range.toPosition }
    return this.#transport.stream({ method: 'GET', path: '/v1/admin/audit/export', query })
  }

  /** `GET /v1/admin/audit/checkpoints` */
  auditCheckpoints(): List<AuditCheckpoint> {
    return listOf(this.#transport, '/v1/admin/audit/checkpoints', {})
  }

  /** `GET /v1/admin/audit/keys`: the public keys that sign the record. */
  auditKeys(): Promise<readonly AuditKey[]> {
    return this.#transport.data({ method: 'GET', path: '/v1/admin/audit/keys' })
  }
}

const providerPath = (slug: string): string => `/v1/admin/connector-providers/${encodeURIComponent(slug)}`
const revocationPath = (id: string): string => `/v1/admin/revocations/${encodeURIComponent(id)}`
