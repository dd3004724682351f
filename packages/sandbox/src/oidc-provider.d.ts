/** The part of `oidc-provider` 9 that the sandbox uses; the package brings no types of its own. */
declare module 'oidc-provider' {
  import type { EventEmitter } from 'node:events'
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

  /** A Koa context, with `oidc` once the provider's router has matched. */
  export interface Context {
    req: IncomingMessage
    readonly res: ServerResponse
    readonly request: { req: IncomingMessage }
    readonly response: { get(name: string): string }
    readonly host: string
    readonly hostname: string
    readonly path: string
    readonly query: Readonly<Record<string, string | string[] | undefined>>
    method: string
    querystring: string
    status: number
    type: string
    body: unknown
    respond: boolean
    readonly oidc?: {
      readonly client?: Client
      readonly params?: Readonly<Record<string, string | undefined>>
    }
    get(header: string): string
    set(header: string, value: string): void
    append(header: string, value: string): void
    redirect(url: string): void
  }

  export type Middleware = (ctx: Context, next: () => Promise<void>) => Promise<void>

  export interface Client {
    readonly clientId: string
    readonly clientName?: string
    readonly redirectUris: readonly string[]
  }

  export interface Interaction {
    readonly uid: string
    readonly returnTo: string
    readonly prompt: { readonly name: string }
    readonly params: Readonly<Record<string, string | undefined>>
    readonly session?: { accountId: string; readonly uid?: string }
    persist(): Promise<string>
  }

  export interface Session {
    accountId?: string
    authorizations?: Record<string, unknown>
    persist(): Promise<string>
  }

  export interface Grant {
    addOIDCScope(scope: string): void
    rejectOIDCScope(scope: string): void
    save(): Promise<string>
  }

  export interface AccessToken {
    readonly accountId: string
    readonly clientId: string
    readonly grantId: string
    readonly scopes: ReadonlySet<string>
  }

  /** Where the provider keeps what it issues, one for each model. */
  export interface Adapter {
    upsert(id: string, payload: Record<string, unknown>, expiresInSeconds?: number): Promise<void>
    find(id: string): Promise<Record<string, unknown> | undefined>
    findByUid(uid: string): Promise<Record<string, unknown> | undefined>
    findByUserCode(userCode: string): Promise<Record<string, unknown> | undefined>
    consume(id: string): Promise<void>
    destroy(id: string): Promise<void>
    revokeByGrantId(grantId: string): Promise<void>
  }

  export class Provider extends EventEmitter {
    constructor(issuer: string, configuration: Record<string, unknown>)
    readonly Client: {
      readonly prototype: { redirectUriAllowed(this: Client, uri: unknown): boolean }
      find(id: string): Promise<Client | undefined>
    }
    readonly Grant: new (properties: { accountId: string; clientId: string }) => Grant
    readonly Session: { findByUid(uid: string): Promise<Session | undefined> }
    readonly AccessToken: { find(value: string): Promise<AccessToken | undefined> }
    use(middleware: Middleware): this
    callback(): RequestListener
    interactionDetails(req: IncomingMessage, res: ServerResponse): Promise<Interaction>
    interactionResult(
      req: IncomingMessage,
      res: ServerResponse,
      result: Record<string, unknown>,
      options?: { mergeWithLastSubmission?: boolean },
    ): Promise<string>
  }
}
