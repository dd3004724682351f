import assert from 'node:assert/strict'
import { it } from 'node:test'
import { runCommand } from '../cli/command.ts'
import { freePort } from '../support/service.ts'
import { deploymentOf } from '../support/service-process.ts'
import { createTestDatabase } from '../support/test-database.ts'

it('metrics have a port of their own, off the public listener, and one that is taken is named', async () => {
  const database = await createTestDatabase()
  try {
    const metricsPort = String(await freePort())
    const deployment = deploymentOf(database.databaseUrl, { METRICS_PORT: metricsPort })
    await using service = await deployment.start()
    const metrics = `http://127.0.0.1:${metricsPort}`
    const reply = await fetch(`${metrics}/metrics`)
    assert.equal(reply.status, 200)
    const text = await reply.text()
    assert.match(text, /^connector_oauth_migrations_applied [1-9]/m)
    assert.match(text, /^nodejs_eventloop_lag_seconds /m)
    assert.match(text, /^process_resident_memory_bytes /m)
    assert.equal((await fetch(`${service.url}/metrics`)).status, 404)
    // Nothing else answers there.
    for (const path of ['/', '/docs', '/v1/connector-providers']) {
      assert.equal((await fetch(metrics + path)).status, 404, path)
    }
    const second = await runCommand(['serve'], { ...deployment.env, PORT: String(await freePort()) })
    assert.equal(second.code, 1, second.stderr)
    assert.match(second.stderr, new RegExp(`^METRICS_PORT: ${metricsPort} is taken`, 'm'))
    await service.kill('SIGTERM')
    await assert.rejects(fetch(`${metrics}/metrics`))
  } finally {
    await database.drop()
  }
})
