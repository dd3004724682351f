import { randomUUID } from 'node:crypto'
import type { AccessTokens } from './access-tokens.ts'
import type { Connector as ConnectorData, ConnectorFilter, ConnectorImport } from './api-types.ts'
import { Connector, connectorsPath, type Collection } from './connector.ts'
import { listOf, type List } from './pages.ts'
import type { Transport } from './transport.ts'

/** The connectors of one collection. */
export class Connectors {
  readonly #transport: Transport
  readonly #tokens: AccessTokens
  readonly #collection: Collection

  constructor(transport: Transport, tokens: AccessTokens, collection: Collection) {
    this.#transport = transport
    this.#tokens = tokens
    this.#collection = collection
  }

  /** `GET …/connectors` */
  list(filter: ConnectorFilter = {}): List<ConnectorData> {
    return listOf(this.#transport, connectorsPath(this.#collection), filter)
  }

  /** One of them, by its id; nothing is asked yet. */
  connector(id: string): Connector {
    return new Connector(this.#transport, this.#tokens, this.#collection, id)
  }

  /**
   * `POST …/connectors`: takes over credentials that were obtained elsewhere. The same key and request make one
   * connector, however often they are sent; without a key each call is one of its own, and its repetitions are safe.
   */
  import(request: ConnectorImport, idempotencyKey: string = randomUUID()): Promise<ConnectorData> {
    return this.#transport.data({
      method: 'POST',
      path: connectorsPath(this.#collection),
      body: request,
      headers: { 'idempotency-key': idempotencyKey },
      isRepeatable: true,
    })
  }
}
