import type { ConnectorRow } from '../store/rows.ts'
import { findConnector } from '../store/connectors.ts'
import { Problem, type ProblemCode } from '../core/problem.ts'
import type { Context } from './context.ts'
import { importConnector, type ImportRequest } from './import-connector.ts'
import { InvalidFields } from './invalid-fields.ts'
import type { Principal } from './principal.ts'
import { connectionValues } from './connection-values.ts'
import { findUsableApp, forConnection } from './provider-client.ts'

/** An account that is named by its connector, so that it is taken over once however often one tries. */
export type AccountRequest = Omit<ImportRequest, 'idempotencyKey' | 'connectorId'> & {
  readonly connectorId: NonNullable<ImportRequest['connectorId']>
}

/** What became of an account, or what would. */
export type AccountOutcome =
  | { readonly kind: 'new' }
  /** An earlier run has taken it over, or its user has connected it since. */
  | { readonly kind: 'present' }
  | { readonly kind: 'refused'; readonly code: ProblemCode | 'url_variables'; readonly detail: string }

type Needs = Parameters<typeof importConnector>[0] & Pick<Context, 'database'>

/** Takes an account over, unless it is there. */
export async function importAccount(
  context: Needs,
  principal: Principal,
  request: AccountRequest,
): Promise<AccountOutcome> {
  const judged = await judgeAccount(context, principal, request)
  if (judged.kind !== 'new') return judged
  try {
    await importConnector(context, principal, { ...request, idempotencyKey: undefined })
    return { kind: 'new' }
  } catch (error) {
    // Somebody else was faster.
    if (error instanceof Problem && error.code === 'connector_id_taken')
      return judgeAccount(context, principal, request)
    return refusal(error)
  }
}

/** Says what `importAccount` would do, and does nothing. */
export async function judgeAccount(
  context: Needs,
  principal: Principal,
  request: AccountRequest,
): Promise<AccountOutcome> {
  const { tenantId } = principal
  try {
    const row = await findConnector(context.database.tenant(tenantId), tenantId, request.connectorId)
    if (row !== undefined && isSamePlace(row, request)) return { kind: 'present' }
    if (row !== undefined) throw new Problem('connector_id_taken')
    const app = await findUsableApp(context, tenantId, request.providerSlug)
    forConnection(app, connectionValues(app, request.urlVariables, {}))
    return { kind: 'new' }
  } catch (error) {
    return refusal(error)
  }
}

function refusal(error: unknown): AccountOutcome {
  if (error instanceof InvalidFields) {
    return { kind: 'refused', code: 'url_variables', detail: error.problems.map(({ msg }) => msg).join('; ') }
  }
  // What a try later would do as well is no fault of the account.
  if (!(error instanceof Problem) || error.status >= 500) throw error
  return { kind: 'refused', code: error.code, detail: error.message }
}

function isSamePlace(row: ConnectorRow, request: AccountRequest): boolean {
  return (
    row.space_id === request.spaceId &&
    row.collection_id === request.collectionId &&
    row.provider_slug === request.providerSlug
  )
}
