import {
  collectionId,
  connectorId,
  mintEventId,
  providerSlug,
  spaceId,
  tenantId,
  transactionId,
  type ConnectorId,
} from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { ProviderAccount, TokenGrant } from '../core/token.ts'
import { beginConnecting } from '../store/connecting.ts'
import { addConnector, lockConnector, reconnectConnector, type Credentials } from '../store/connectors.ts'
import type { Db } from '../store/database.ts'
import { addEvent } from '../store/events.ts'
import type { ConnectorRow } from '../store/rows.ts'
import type { Transaction } from '../store/find-transactions.ts'
import { revokeLeasesOf } from '../store/leases.ts'
import { cancelRevocations } from '../store/revocations.ts'
import { finishTransaction } from '../store/transactions.ts'
import type { Place } from '../vault/place.ts'
import { writeCallerContext } from './caller-context.ts'
import { endConnectSession } from './connect-session-end.ts'
import { areOtherValues, keptValues, toldValues } from './connection-values.ts'
import { connectorPlace } from './connector-places.ts'
import type { Context } from './context.ts'
import { logChange } from './log-change.ts'
import { firstRefreshAt } from './refresh-schedule.ts'
import { isSamePlace, otherHost, requireMayReplace } from './prepare-transaction.ts'
import type { Principal } from './principal.ts'
import type { ProviderInUse } from './provider-client.ts'
import { transactionPlace } from './transaction-places.ts'

/** What a finished connection tells its caller. */
export interface Connected {
  readonly provider: string
  readonly collectionId: string
  readonly connectorId: ConnectorId
}

/** What an exchange brought. */
export interface Connection {
  readonly grant: TokenGrant
  readonly account: ProviderAccount | undefined
  readonly provider: ProviderInUse
  /** The starter, with the rights of now. */
  readonly completedBy: Principal
}

type Needs = Pick<Context, 'database' | 'vault' | 'clock' | 'log'>

/**
 * Writes connector, event and the transaction's end in one database transaction: a new connector, or new credentials in
 * place of the old.
 *
 * Throws 409 `account_changed`, `authorization_revoked`, `connect_session_ended`, `connector_id_taken` and `connector_disconnected`.
 */
export async function storeConnection(context: Needs, transaction: Transaction, made: Connection): Promise<Connected> {
  const tenant = tenantId(transaction.tenant_id)
  const id = connectorId(transaction.connector_id)
  const session = transactionId(transaction.transaction_id)
  const { provider } = made
  const { refreshToken, expiresAt } = made.grant
  const sealed = await sealCredentials(context, transaction, made)
  const callerContext = await moveCallerContext(context, transaction)
  const done = await context.database.transaction(tenant, async (db) => {
    const now = context.clock.now()
    const end = { now, status: 'connected', errorCode: undefined, isExchanger: true } as const
    // Behind the lock, so it sees every order that was given before it.
    const finishing = Promise.all([beginConnecting(db, tenant), finishTransaction(db, tenant, session, end)]).then(
      ([, finished]) => requireFinished(finished),
    )
    const nextRefreshAt = refreshToken && firstRefreshAt(id, expiresAt, provider.client.definition, now)
    const credentials = { ...sealed, nextRefreshAt }
    // An id that was drawn for this transaction names nothing yet.
    if (transaction.connector_named) await finishing
    const putting = putConnector(db, transaction, credentials, made, now)
    const isNew = transaction.connector_named ? await putting : true
    const change = isNew ? 'connected' : 'reconnected'
    const recorded = addEvent(
      db,
      tenant,
      {
        eventType: `connector.${change}`,
        actorId: transaction.principal_subject,
        resourceType: 'connector',
        resourceId: id,
        place: transaction,
        metadata: {
          provider_slug: transaction.provider_slug,
          space_id: transaction.space_id,
          collection_id: transaction.collection_id,
          session_id: session,
          ...toldValues(provider.urlVariables),
        },
        callerContext,
      },
      now,
    )
    const ending = endConnectSession(db, transaction, now)
    // None waits for another's answer; when the first fails, the others do with it.
    await Promise.all([finishing, putting, recorded, ending])
    return change
  })
  logChange(context, transaction, done)
  return { provider: transaction.provider_slug, collectionId: transaction.collection_id, connectorId: id }
}

function requireFinished(finished: Awaited<ReturnType<typeof finishTransaction>>): void {
  if (finished === 'ordered-away') throw new Problem('authorization_revoked')
  if (finished === 'over') throw new Problem('invalid_state')
}

async function putConnector(
  db: Db,
  transaction: Transaction,
  credentials: Credentials,
  made: Connection,
  now: Date,
): Promise<boolean> {
  const tenant = tenantId(transaction.tenant_id)
  const id = connectorId(transaction.connector_id)
  const known = transaction.connector_named ? await lockConnector(db, tenant, id) : undefined
  const place = {
    spaceId: spaceId(transaction.space_id),
    collectionId: collectionId(transaction.collection_id),
    providerSlug: providerSlug(transaction.provider_slug),
  }
  if (known !== undefined) {
    // Somebody may have taken the id since the start.
    if (!isSamePlace(known, place)) throw new Problem('connector_id_taken')
    requireMayReplace(made.completedBy, known, transaction)
    const isElsewhere = isAtOtherHost(known, credentials, made.provider)
    requireReconnectable(known, transaction, credentials, isElsewhere)
    if (!isElsewhere && known.account_id === (credentials.account.id ?? null)) await keepGrant(db, known, now)
    // A lease was given for one account; where nobody can tell whether this is the same, it ends.
    if (isElsewhere || known.account_id === null || known.account_id !== credentials.account.id) {
      await revokeLeasesOf(db, tenant, id, now)
    }
    await reconnectConnector(db, tenant, id, credentials, now)
    return false
  }
  const connector = {
    tenantId: tenant,
    connectorId: id,
    ...place,
    displayName: undefined,
    scopeConfig: undefined,
    credentials,
  }
  if (!(await addConnector(db, connector, now))) throw new Problem('connector_id_taken')
  return true
}

/** Nobody wants the old grant ended any more: at many providers that would end the new one with it. */
async function keepGrant(db: Db, known: ConnectorRow, now: Date): Promise<void> {
  const tenant = tenantId(known.tenant_id)
  for (const revocationId of await cancelRevocations(db, tenant, known.connector_id, now)) {
    await addEvent(
      db,
      tenant,
      {
        eventType: 'connector.revocation_failed',
        actorId: undefined,
        resourceType: 'connector',
        resourceId: known.connector_id,
        place: known,
        metadata: {
          provider_slug: known.provider_slug,
          revocation_id: revocationId,
          status: 'failed',
          reason: 'reconnected',
        },
      },
      now,
    )
  }
}

/** Whether another shop, say, was chosen than before; one that an administrator fixed since is none. */
function isAtOtherHost(known: ConnectorRow, credentials: Credentials, provider: ProviderInUse): boolean {
  if (known.context_id === credentials.contextId) return false
  const app = { definition: provider.client.definition, variables: provider.fixedVariables }
  return areOtherValues(app, keptValues(known), credentials.urlVariables)
}

function requireReconnectable(
  known: ConnectorRow,
  transaction: Transaction,
  credentials: Credentials,
  isElsewhere: boolean,
): void {
  // A disconnect is final for every authorization that was under way when it happened.
  if (known.disconnected_at !== null && known.disconnected_at >= transaction.created_at) {
    throw new Problem('connector_disconnected')
  }
  if (transaction.allow_account_change) return
  if (isElsewhere) throw otherHost()
  // An account that is known may be replaced only by the same one; where neither reply tells, there is nothing to compare.
  if (known.account_id !== null && known.account_id !== (credentials.account.id ?? null)) {
    throw new Problem('account_changed')
  }
}

async function sealCredentials(
  context: Needs,
  transaction: Transaction,
  { grant, account, provider }: Connection,
): Promise<Omit<Credentials, 'nextRefreshAt'>> {
  const subject = grant.idTokenClaims?.['sub']
  return {
    contextId: provider.contextId,
    urlVariables: provider.urlVariables,
    principal: { issuer: transaction.principal_issuer, subject: transaction.principal_subject },
    account: { id: account?.id, name: account?.name },
    requestedScopes: transaction.requested_scopes,
    grantedScopes: grant.scopes ?? transaction.requested_scopes,
    accessToken: await context.vault.seal(connectorPlace(transaction, 'access_token'), grant.accessToken),
    refreshToken:
      grant.refreshToken &&
      (await context.vault.seal(connectorPlace(transaction, 'refresh_token'), grant.refreshToken)),
    tokenType: grant.tokenType,
    expiresAt: grant.expiresAt,
    idTokenSubject: typeof subject === 'string' ? subject : undefined,
    kept: grant.kept,
  }
}

/** The caller's context leaves the transaction for the event, sealed anew for its new place. */
async function moveCallerContext(context: Needs, transaction: Transaction) {
  if (transaction.caller_context === null) return undefined
  const opened = await context.vault.open(transactionPlace(transaction, 'caller_context'), transaction.caller_context)
  const eventId = mintEventId()
  const content = writeCallerContext(opened, transaction.principal_issuer)
  return { eventId, sealed: await context.vault.seal(callerContextPlace(transaction.tenant_id, eventId), content) }
}

/** The place of an event's sealed caller context. */
export function callerContextPlace(tenant: string, eventId: string): Place {
  return {
    purpose: 'event',
    tenantId: tenantId(tenant),
    spaceId: '',
    collectionId: '',
    subjectId: eventId,
    field: 'caller_context',
  }
}
