import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { Problem } from '../../src/core/problem.ts'
import { createOpenCalls, type OpenCall } from '../../src/domain/open-calls.ts'
import type { Db } from '../../src/store/database.ts'
import { startTestService, type TestService } from '../support/service.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

function open(tenantId: string): OpenCall & { readonly reasons: Problem[] } {
  const reasons: Problem[] = []
  const endsAt = new Date(service.clock.now().getTime() + 60_000)
  return {
    tenantId,
    connectorId: 'conn_a',
    leaseId: undefined,
    endsAt,
    abort: (reason) => reasons.push(reason),
    reasons,
  }
}

it('counts a tenant’s calls before anything of them is read, and lets others in', () => {
  const calls = createOpenCalls(service.context)
  const takeOff = Array.from({ length: 512 }, () => calls.add(open('acme')))
  const isBusy = (error: unknown) => error instanceof Problem && error.code === 'provider_busy'
  assert.throws(() => calls.add(open('acme')), isBusy)
  calls.add(open('globex'))
  takeOff[0]?.()
  takeOff[0]?.()
  calls.add(open('acme'))
  assert.throws(() => calls.add(open('acme')), isBusy)
})

it('looks after all of them with one statement', async () => {
  const { database, clock } = service.context
  let statements = 0
  const system: Db = {
    query(statement, values) {
      statements += 1
      return database.system.query(statement, values)
    },
  }
  const calls = createOpenCalls({ database: { ...database, system }, clock })
  const many = Array.from({ length: 300 }, (_, index) => open(index % 2 === 0 ? 'acme' : 'globex'))
  for (const call of many) calls.add(call)
  await calls.check()
  assert.equal(statements, 1)
  assert.ok(many.every((call) => call.reasons[0]?.code === 'connector_disconnected'))
})
