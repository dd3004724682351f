import type { TenantId } from '../core/ids.ts'
import { connectorColumns } from './connectors.ts'
import { statement, type Db, type Statement } from './database.ts'
import type { TimeCursor } from './events.ts'
import type { ConnectorRow } from './rows.ts'

/** Which of a tenant's connectors. What is absent narrows nothing; an empty list leaves nothing. */
export interface TenantConnectorFilter {
  readonly status: string | undefined
  readonly providerSlug: string | undefined
  readonly spaces: readonly string[] | undefined
  readonly collections: readonly string[] | undefined
  readonly principalSubject: string | undefined
  /** How the id, the display name or the account's name begins. */
  readonly prefix: string | undefined
}

interface PageOf {
  /** Where the page before ended. */
  readonly before: TimeCursor | undefined
  readonly limit: number
}

/** Up to so many connectors that begin as asked are sorted; beyond, whoever goes over the newest soon meets one. */
const sortedAtMost = 20_000
/** After every text that begins with what stands before it, in collation C. */
const afterAll = '\u{10FFFF}'

const idBegins = (from: string, end: string): string =>
  `connector_id collate "C" >= ${from} and connector_id collate "C" < ${from} || ${end}`
const nameBegins = (column: string, from: string, end: string): string =>
  `${column} is not null and ${column} collate "C" >= lower(${from}) and ${column} collate "C" < lower(${from}) || ${end}`
const waysToBegin = (from: string, end: string): readonly string[] => [
  idBegins(from, end),
  nameBegins('display_name_begin', from, end),
  nameBegins('account_name_begin', from, end),
]

const countPrefixed = statement(
  'tenant_connectors.count_prefixed',
  `select count(*)::int as connectors
   from (
     ${waysToBegin('$2::text', '$3::text')
       .map((begins) => `(select from connectors where tenant_id = $1 and ${begins} limit $4)`)
       .join('\n     union all\n     ')}) as prefixed`,
)

/**
 * One page of a tenant's connectors, newest first, whatever they are narrowed to.
 *
 * Each combination of filters is a statement of its own, which says nothing of those that are absent: one text for all,
 * with `$1 is null or …`, would let PostgreSQL settle for a plan that fits none of them.
 */
export async function pageTenantConnectors(
  db: Db,
  tenantId: TenantId,
  filter: TenantConnectorFilter,
  page: PageOf,
): Promise<ConnectorRow[]> {
  const isFew = filter.prefix !== undefined && (await isRarePrefix(db, tenantId, filter.prefix))
  const { text, values } = pageStatement(tenantId, filter, page, isFew)
  return db.query<ConnectorRow>(text, values)
}

async function isRarePrefix(db: Db, tenantId: TenantId, prefix: string): Promise<boolean> {
  const values = [tenantId, prefix, afterAll, sortedAtMost]
  const [row] = await db.query<{ connectors: number }>(countPrefixed, values)
  return row !== undefined && row.connectors < sortedAtMost
}

/** The statement for a combination of filters, and its values. */
function pageStatement(
  tenantId: TenantId,
  filter: TenantConnectorFilter,
  page: PageOf,
  isRare: boolean,
): { readonly text: Statement; readonly values: readonly unknown[] } {
  const values: unknown[] = [tenantId]
  const put = (value: unknown): string => `$${values.push(value)}`
  const { status, providerSlug, principalSubject, prefix, spaces, collections } = filter
  const provider = providerSlug === undefined ? '' : `and provider_slug = ${put(providerSlug)}`
  const ofStatus = status === undefined ? '' : `and status = ${put(status)}`
  const principal = principalSubject === undefined ? '' : `and principal_subject = ${put(principalSubject)}`
  const cursor = page.before && `${put(page.before.createdAt)}::timestamptz, ${put(page.before.id)}::text`
  const before = cursor === undefined ? '' : `and (created_at, connector_id) < (${cursor})`
  const begin = prefix === undefined ? [] : waysToBegin(`${put(prefix)}::text`, `${put(afterAll)}::text`)
  const limit = put(page.limit)
  const newest = (where: string): string => `select created_at, connector_id
       from connectors
       where tenant_id = $1 ${where} ${principal} ${before}
       order by created_at desc, connector_id desc
       limit ${limit}`
  const merged = (from: string, each: string): string => `select newest.connector_id
     from ${from}
     cross join lateral (
       ${each}) as newest
     order by newest.created_at desc, newest.connector_id desc
     limit ${limit}`
  const isIn = (column: string, ids: readonly string[] | undefined): string =>
    ids === undefined ? '' : `and ${column} = any(${put(ids)}::uuid[])`
  const unnested = (name: string, column: string, ids: readonly string[]): string =>
    `unnest(${put(ids)}::uuid[]) as ${name} (${column})`

  const find = (): readonly [way: string, sql: string] => {
    if (isRare) {
      const found = begin.map((begins) => `select connector_id from connectors where tenant_id = $1 and ${begins}`)
      const where = `and connector_id = any(array(${found.join(' union ')}))
         ${provider} ${ofStatus} ${isIn('space_id', spaces)} ${isIn('collection_id', collections)}`
      return ['prefixed', `select connector_id from (${newest(where)}) as newest`]
    }
    const alsoBegins = begin.length === 0 ? '' : `and (${begin.map((begins) => `(${begins})`).join(' or ')})`
    if (collections !== undefined) {
      const [only] = spaces?.length === 1 ? spaces : []
      const inSpaces = only === undefined ? isIn('space_id', spaces) : `and space_id = ${put(only)}::uuid`
      const each = newest(`and collection_id = place.collection_id ${inSpaces} ${provider} ${ofStatus} ${alsoBegins}`)
      const way = only === undefined ? 'collections' : 'collections_of_space'
      return [way, merged(unnested('place', 'collection_id', collections), each)]
    }
    const kinds = `(
         select provider_slug, status
         from connector_counts
         where tenant_id = $1 ${provider} ${ofStatus}
         group by provider_slug, status
         having sum(connectors) > 0) as kind`
    const inSpace = spaces === undefined ? '' : 'and space_id = place.space_id'
    const each = newest(`and provider_slug = kind.provider_slug and status = kind.status ${inSpace} ${alsoBegins}`)
    const places = spaces === undefined ? '' : ` cross join ${unnested('place', 'space_id', spaces)}`
    return ['kinds', merged(kinds + places, each)]
  }
  const [way, found] = find()
  // A name is cut after 63 bytes, so a letter stands for each part.
  const parts = {
    s: status,
    p: providerSlug,
    u: principalSubject,
    b: prefix,
    S: spaces,
    C: collections,
    n: page.before,
  }
  const named = Object.entries(parts).flatMap(([letter, value]) => (value === undefined ? [] : [letter]))
  const text = `select ${connectorColumns}
   from connectors
   where tenant_id = $1 and connector_id = any(array(
     ${found}))
   order by created_at desc, connector_id desc`
  return { text: statement(`tenant_connectors.${way}.${named.join('')}`, text), values }
}
