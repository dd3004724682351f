import type pg from 'pg'

/** How many rows to make, and whose. */
export interface ManyRows {
  readonly tenant: string
  readonly connectors: number
  readonly events: number
  /** Of each of two webhooks. */
  readonly deliveries?: number
  /** Large tables are filled faster when connectors are counted once they are all there. */
  readonly countedAfterwards?: true
}

/** Values that the rows hold, for filters: of some there are many, of others few. */
export const known = {
  commonProvider: 'provider-0',
  rareProvider: 'provider-39',
  /** Whoever imported a third of all connectors. */
  importer: 'importer',
  person: 'user-77',
  rareAction: 'provider_app.changed',
  /** It takes what it gets; a few were given up long ago. */
  steadyWebhook: 'whk_steady',
  /** It takes nothing any more: half of what it should have got waits. */
  failingWebhook: 'whk_failing',
} as const

/** The space, or one of its collections, that the expression's number stands for. */
const spaceOf = (number: string): string => `md5('space ' || ${number})::uuid`
const collectionOf = (number: string): string => `md5('collection ' || ${number})::uuid`
const connectorIdOf = (number: string): string =>
  `'conn_' || left(translate(encode(sha256(convert_to(${number}::text, 'UTF8')), 'base64'), '+/=', '-_'), 22)`
/** A number from 0 to 1 that looks drawn by chance and is the same in every run. */
const chance = (seed: number, number = 'n'): string =>
  `((hashint8extended(${number}, ${seed}) & 2147483647) / 2147483648.0)`

const status = `case when ${chance(1)} < 0.9 then 'active' when ${chance(1)} < 0.93 then 'degraded'
  when ${chance(1)} < 0.98 then 'reauth_required' else 'disconnected' end`

/**
 * Fills an empty database, past row-level security: connectors of two years, the newest an hour old, in forty providers,
 * 2,000 spaces and 50,000 persons; events of the last ninety days, each with its entry in the record.
 */
export async function addManyRows(client: pg.Client, rows: ManyRows): Promise<void> {
  const { tenant } = rows
  if (rows.countedAfterwards) await client.query('alter table connectors disable trigger user')
  await client.query(
    `insert into connectors
       (tenant_id, connector_id, space_id, collection_id, provider_slug, context_id, principal_issuer, principal_subject,
        display_name, account_id, account_name, health, paused, requested_scopes, granted_scopes, access_token,
        refresh_token, token_type, access_token_expires_at, created_at, updated_at, tokens_granted_at, next_refresh_at)
     select $1, ${connectorIdOf('n')}, ${spaceOf('place')}, ${collectionOf(`place || ' ' || n % 5`)},
            'provider-' || floor(40 * power(${chance(3)}, 2)), md5('context'), '',
            case when ${chance(4)} < 0.3 then 'importer' else 'user-' || floor(50000 * ${chance(5)}) end,
            case when n % 3 = 0 then 'Connection ' || n end, 'account-' || n, 'person' || n || '@mail.example', health,
            health = 'active' and n % 97 = 0, '{read,write}', '{read}',
            case when health <> 'disconnected' then decode(repeat(md5(n::text), 8), 'hex') end,
            case when health <> 'disconnected' then decode(repeat(md5(n::text), 8), 'hex') end,
            'Bearer', moment + interval '2 hours', moment, moment, moment,
            case when health <> 'disconnected' then moment + interval '2 hours' end
     from (
       select n, ${status} as health, floor(2000 * power(${chance(2)}, 2)) as place,
              date_trunc('milliseconds', now() - interval '1 hour' - ($2::bigint - n) * (interval '730 days' / $2)) as moment
       from generate_series(1, $2::bigint) as n) as made`,
    [tenant, rows.connectors],
  )
  if (rows.countedAfterwards) {
    await client.query(
      `insert into connector_counts (tenant_id, provider_slug, status, connectors, is_sum)
       select tenant_id, provider_slug, status, count(*), true
       from connectors
       where tenant_id = $1
       group by tenant_id, provider_slug, status`,
      [tenant],
    )
    await client.query('alter table connectors enable trigger user')
  }
  const eventType = `case when ${chance(6)} < 0.7 then 'token.refreshed' when ${chance(6)} < 0.9 then 'token.exported'
    when ${chance(6)} < 0.94 then 'connector.degraded' when ${chance(6)} < 0.98 then 'connector.recovered'
    when ${chance(6)} < 0.999 then 'connector.connected' else '${known.rareAction}' end`
  const made = `
    select 'evt_' || left(translate(encode(sha256(convert_to('e' || n, 'UTF8')), 'base64'), '+/=', '-_'), 22) as id,
           event_type, n, case when event_type = '${known.rareAction}' then 'provider-1' else ${connectorIdOf('about')} end as resource_id,
           case when event_type <> '${known.rareAction}' then ${spaceOf(`floor(2000 * power(${chance(2, 'about')}, 2))`)} end as space_id,
           'user-' || about % 5000 as actor_id,
           date_trunc('milliseconds', now() - ($2::bigint - n) * (interval '90 days' / $2)) as moment
    from (
      select n, 1 + (hashint8extended(n, 9) & 2147483647) % $3::bigint as about, ${eventType} as event_type
      from generate_series(1, $2::bigint) as n) as drawn`
  const resourceType = `case when event_type = '${known.rareAction}' then 'provider_app' else 'connector' end`
  const values = [tenant, rows.events, rows.connectors]
  await client.query(
    `insert into events
       (tenant_id, event_id, category, event_type, actor_id, resource_type, resource_id, space_id, metadata, created_at,
        position)
     select $1, id, split_part(event_type, '.', 1), event_type, actor_id, ${resourceType}, resource_id, space_id,
            '{"provider_slug":"provider-0"}', moment, n
     from (${made}) as made`,
    values,
  )
  await client.query(
    `insert into audit_entries
       (tenant_id, entry_id, action, actor_id, resource_type, resource_id, space_id, metadata, created_at, position, hash)
     select $1, id, event_type, actor_id, ${resourceType}, resource_id, space_id, '{"provider_slug":"provider-0"}', moment,
            n, decode(md5(id) || md5(id), 'hex')
     from (${made}) as made`,
    values,
  )
  await client.query(
    `insert into audit_chains (tenant_id, last_position, last_hash, signed_position)
     values ($1, $2, decode(repeat('00', 32), 'hex'), $2)`,
    [tenant, rows.events],
  )
  await client.query(
    `insert into event_counts (tenant_id, hour, event_type, events)
     select tenant_id, date_trunc('hour', created_at, 'UTC'), event_type, count(*)
     from events
     where tenant_id = $1
     group by tenant_id, date_trunc('hour', created_at, 'UTC'), event_type`,
    [tenant],
  )
  if (rows.deliveries !== undefined) await addDeliveries(client, tenant, rows.deliveries)
}

/** The webhooks are switched off, so that nobody delivers anything. */
async function addDeliveries(client: pg.Client, tenant: string, each: number): Promise<void> {
  await client.query(
    `insert into webhooks (tenant_id, webhook_id, url, enabled, secret, cursor_position, created_at, updated_at)
     select $1, webhook_id, 'https://app.example/hooks', false, '', last_position, now(), now()
     from audit_chains, unnest($2::text[]) as webhook_id
     where tenant_id = $1`,
    [tenant, [known.steadyWebhook, known.failingWebhook]],
  )
  await client.query(
    `insert into webhook_deliveries
       (tenant_id, webhook_id, event_id, position, event_type, resource_id, status, attempts, first_attempt_at,
        next_attempt_at, attempt_log, created_at, finished_at)
     select $1, webhook_id, 'evt_' || n, n, 'token.refreshed', 'conn_' || n % 10000, status,
            case when status = 'pending' then 0 else 1 end, case when status <> 'pending' then moment end,
            case when status = 'pending' then moment end,
            jsonb_build_array(jsonb_build_object('at', moment, 'duration_ms', 120, 'status', 200)),
            moment, case when status <> 'pending' then moment end
     from (
       select n, webhook_id, now() - ($2 - n) * (interval '20 days' / $2) as moment,
              case when webhook_id = $3 and n > $2 / 2 then 'pending'
                   when webhook_id = $4 and n < $2 / 2 and ${chance(10)} < 0.002 then 'dead'
                   else 'delivered' end as status
       from generate_series(1, $2::bigint) as n, unnest(array[$3, $4]) as webhook_id) as made`,
    [tenant, each, known.failingWebhook, known.steadyWebhook],
  )
}
