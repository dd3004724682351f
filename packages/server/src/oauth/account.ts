import type { ProviderAccount, ProviderClient, TokenGrant } from '../core/token.ts'
import { isAllowedValue } from './endpoints.ts'
import { textAt, valueAt } from './json-path.ts'
import type { ProtocolContext } from './protocol-context.ts'
import { keptAccountId, keptAccountName } from './token-reply.ts'
import { fetchUserinfo } from './userinfo.ts'

/** The userinfo reply belongs to another subject than the ID token (OIDC Core §5.3.2); the grant must not be used. */
export class AccountMismatchError extends Error {
  constructor() {
    super('userinfo names another subject than the ID token')
    this.name = 'AccountMismatchError'
  }
}

/** What is known of the account, and what else userinfo told. */
export interface AccountReading {
  readonly account: ProviderAccount | undefined
  /** By `userinfo_response_paths`; to be stored with the grant's own kept values. */
  readonly kept: Readonly<Record<string, string>>
}

const maxIdLength = 512
const maxNameLength = 200
const nameClaims = ['email', 'name', 'preferred_username', 'login', 'username']

/**
 * Finds out whose account a grant is, by the definition's rule, else from the ID token, else from userinfo.
 *
 * A provider that does not tell costs the name of the account, not the connection. Throws `AccountMismatchError` when
 * ID token and userinfo disagree, and nothing else.
 */
export async function readAccount(
  context: ProtocolContext,
  client: ProviderClient,
  grant: TokenGrant,
): Promise<AccountReading> {
  const rule = client.definition.account
  const known = knownAccount(client, grant)
  const wantsUserinfo =
    rule?.from === 'userinfo' ||
    client.definition.userinfo_response_paths !== undefined ||
    (rule === undefined && (known?.name === undefined || grant.idTokenClaims === undefined))
  const userinfo = wantsUserinfo ? await fetchUserinfo(context.egress, client, grant) : undefined
  if (userinfo === undefined) return { account: known, kept: {} }

  const subject = grant.idTokenClaims?.sub
  const told = valueAt(userinfo, 'sub')
  if (subject !== undefined && told !== undefined && told !== subject) throw new AccountMismatchError()
  return { account: mergedAccount(client, known, userinfo), kept: keptFrom(client, userinfo) }
}

/** What the grant itself tells. */
function knownAccount(client: ProviderClient, grant: TokenGrant): ProviderAccount | undefined {
  const rule = client.definition.account
  switch (rule?.from) {
    case undefined:
      return grant.idTokenClaims && accountAt(grant.idTokenClaims, 'sub', nameClaims)
    case 'id_token':
      return grant.idTokenClaims && accountAt(grant.idTokenClaims, rule.id, rule.name ? [rule.name] : nameClaims)
    case 'token_reply':
      return keptAccount(grant.kept, keptAccountId, keptAccountName)
    case 'callback':
      return keptAccount(grant.kept, keptName(client, rule.id), rule.name && keptName(client, rule.name))
    case 'userinfo':
      return undefined
  }
}

function mergedAccount(
  client: ProviderClient,
  known: ProviderAccount | undefined,
  userinfo: Readonly<Record<string, unknown>>,
): ProviderAccount | undefined {
  const rule = client.definition.account
  if (rule?.from === 'userinfo') return accountAt(userinfo, rule.id, rule.name ? [rule.name] : nameClaims)
  if (rule !== undefined) return known
  const told = accountAt(userinfo, 'sub', nameClaims) ?? accountAt(userinfo, 'id', nameClaims)
  return known === undefined ? told : { id: known.id, name: known.name ?? told?.name }
}

function accountAt(document: unknown, idPath: string, namePaths: readonly string[]): ProviderAccount | undefined {
  const id = textAt(document, idPath, maxIdLength)
  if (id === undefined) return undefined
  const name = namePaths.map((path) => textAt(document, path, 10_000)).find((text) => text !== undefined)
  return { id, name: displayName(name) }
}

function keptAccount(
  kept: Readonly<Record<string, string>>,
  idName: string,
  nameName: string | undefined,
): ProviderAccount | undefined {
  const id = kept[idName]
  return id === undefined ? undefined : { id, name: displayName(nameName === undefined ? undefined : kept[nameName]) }
}

/** Callback values are kept under the name of the URL variable they fill. */
function keptName(client: ProviderClient, parameter: string): string {
  return client.definition.callback_params?.[parameter]?.url_variable ?? parameter
}

function keptFrom(client: ProviderClient, userinfo: unknown): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {}
  for (const [name, path] of Object.entries(client.definition.userinfo_response_paths ?? {})) {
    const value = textAt(userinfo, path, 1024)
    const isVariable = Object.hasOwn(client.definition.url_variables ?? {}, name)
    if (value !== undefined && (!isVariable || isAllowedValue(client.definition, name, value))) kept[name] = value
  }
  return kept
}

/** Names come from strangers: no control or direction characters, a bounded length. */
function displayName(text: string | undefined): string | undefined {
  const clean = text?.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '').trim()
  return clean === undefined || clean === '' ? undefined : [...clean].slice(0, maxNameLength).join('')
}
