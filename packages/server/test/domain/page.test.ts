import assert from 'node:assert/strict'
import { it } from 'node:test'
import { readCursor } from '../../src/domain/page.ts'

const written = (time: string, id = 'conn_a') => Buffer.from(JSON.stringify([time, id])).toString('base64url')

it('takes a cursor of the years that the database and the contract know, and no other', () => {
  for (const time of ['0000-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z']) {
    assert.deepEqual(readCursor(written(time)), { createdAt: new Date(time), id: 'conn_a' })
  }
  for (const time of [
    '-000001-12-31T23:59:59.999Z',
    '-271821-04-20T00:00:00.000Z',
    '+010000-01-01T00:00:00.000Z',
    '+275760-09-13T00:00:00.000Z',
    'yesterday',
    '',
  ]) {
    assert.throws(() => readCursor(written(time)), { code: 'invalid_cursor' }, time)
  }
})
