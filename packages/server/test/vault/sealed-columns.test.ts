import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { tenantId } from '../../src/core/ids.ts'
import { sealedColumns, type SealedColumn } from '../../src/domain/sealed-columns.ts'
import { signCheckpoint } from '../../src/domain/sign-checkpoint.ts'
import type { Place } from '../../src/vault/place.ts'
import { SealBroken } from '../../src/vault/vault.ts'
import { authorizePath, connectAccount, consentedCallback } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'

type Row = Readonly<Record<string, unknown>>

const nameOf = ({ table, column }: SealedColumn): string => `${table}.${column}`
const names = sealedColumns.map(nameOf)

let service: TestService
let admin: pg.Client

before(async () => {
  service = await startTestService()
  admin = new pg.Client({ connectionString: service.database.adminUrl })
  await admin.connect()
  for (const tenant of ['acme', 'other']) await fill(tenant)
})
after(async () => {
  await admin.end()
  await service[Symbol.asyncDispose]()
})

/** Leaves something sealed in every column: connectors, an event with context, a started, a parked and a revoked one. */
async function fill(tenant: string): Promise<void> {
  const token = await service.token({ tenant })
  for (const _ of [1, 2]) await connectAccount(service, { token, query: { token: 'caller-context' } })
  const gone = await connectAccount(service, { token })
  const path = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors/${gone}`
  assert.equal((await service.call('DELETE', path, { token })).status, 202)
  const started = await service.call('GET', authorizePath({ token: 'caller-context' }), { token })
  assert.equal(started.status, 303)
  const callback = await consentedCallback(service, { token })
  const parked = await fetch(service.url + callback.pathname + callback.search, {
    redirect: 'manual',
    headers: { accept: 'text/html' },
  })
  assert.equal(parked.status, 303)
  await signCheckpoint(service.context, tenantId(tenant), 'wait')
  const hook = { token, body: { url: 'https://receiver.example/hook' } }
  const { data } = (await (await service.call('POST', '/v1/admin/webhooks', hook)).json()) as { data: { id: string } }
  const rotated = await service.call('POST', `/v1/admin/webhooks/${data.id}/rotate-secret`, { token })
  assert.equal(rotated.status, 200)
  const body = { client_id: 'an-app', client_secret: 'a-secret' }
  assert.equal((await service.call('PATCH', '/v1/admin/connector-providers/github', { token, body })).status, 200)
}

/** Binary columns that are neither digests nor wrapped keys. */
async function columnsInDatabase(): Promise<readonly string[]> {
  const { rows } = await admin.query<{ name: string }>(
    `select table_name || '.' || column_name as name
     from information_schema.columns
     where table_schema not in ('pg_catalog', 'information_schema') and data_type = 'bytea'
       and column_name not like '%digest' and column_name not like '%hash'
       and (table_name, column_name) <> ('data_keys', 'wrapped')
     order by 1`,
  )
  return rows.map((row) => row.name)
}

interface SealedValue {
  readonly column: string
  readonly row: Row
  readonly sealed: Buffer
  readonly place: Place
}

async function sealedValues(): Promise<readonly SealedValue[]> {
  const values: SealedValue[] = []
  for (const one of sealedColumns) {
    const { table, column } = one
    // No more than the table of sealed columns says is needed to know the place.
    const needed = ['tenant_id', one.key, column, ...one.placedBy].join(', ')
    const { rows } = await admin.query<Row>(`select ${needed} from ${table} where ${column} is not null`)
    for (const row of rows) {
      values.push({ column: nameOf(one), row, sealed: row[column] as Buffer, place: one.place(row) })
    }
  }
  return values
}

describe('every sealed column', () => {
  it('is known here', async () => {
    assert.deepEqual(await columnsInDatabase(), names.toSorted())
  })

  it('would be missed if it were new', async () => {
    await admin.query('begin')
    await admin.query('alter table events add column planted bytea')
    const found = await columnsInDatabase()
    await admin.query('rollback')
    assert.deepEqual(
      found.filter((name) => !names.includes(name)),
      ['events.planted'],
    )
  })

  it('holds a value of each of two tenants, which opens at its place', async () => {
    const values = await sealedValues()
    for (const column of names) {
      const tenants = new Set(values.filter((value) => value.column === column).map(({ place }) => place.tenantId))
      assert.deepEqual([...tenants].toSorted(), ['acme', 'other'], column)
    }
    for (const { place, sealed } of values) assert.ok((await service.context.vault.open(place, sealed)).reveal())
  })

  it('opens at no place that differs in tenant, space, collection, subject, field or purpose', async () => {
    const changes: readonly Partial<Place>[] = [
      { tenantId: tenantId('other') },
      { tenantId: tenantId('acme') },
      { spaceId: collectionId },
      { collectionId: spaceId },
      { subjectId: 'conn_another' },
      { field: 'another_field' },
      { purpose: 'connector' },
      { purpose: 'transaction' },
      { purpose: 'revocation' },
      { purpose: 'event' },
      { purpose: 'audit' },
      { purpose: 'provider-app' },
    ]
    for (const { column, place, sealed } of await sealedValues()) {
      for (const change of changes) {
        const moved = { ...place, ...change }
        if (JSON.stringify(moved) === JSON.stringify(place)) continue
        await assert.rejects(
          service.context.vault.open(moved, sealed),
          SealBroken,
          `${column} ${JSON.stringify(change)}`,
        )
      }
    }
  })

  it('opens none of another column’s or another row’s values', async () => {
    const values = await sealedValues()
    for (const one of values) {
      for (const other of values) {
        if (one === other) continue
        const opening = service.context.vault.open(one.place, other.sealed)
        await assert.rejects(opening, SealBroken, `${other.column} in the place of ${one.column}`)
      }
    }
  })
})
