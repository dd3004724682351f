import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startCollector } from '../support/collector.ts'
import { deploymentOf } from '../support/service-process.ts'
import { createTestDatabase } from '../support/test-database.ts'

/**
 * Tells of each module of OpenTelemetry that is loaded, in whichever module system. Its interface without anything
 * behind it does not count: the job queue and the metrics library load that.
 */
const tellingHook = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  import { writeSync } from 'node:fs'
  registerHooks({
    load(url, context, next) {
      if (/@opentelemetry\\/(?!api\\/)/.test(url)) writeSync(2, 'LOADED ' + url + '\\n')
      return next(url, context)
    },
  })
`)}`

it('loads the tracer and its exporter only where a collector is named', async () => {
  await using collector = await startCollector()
  const database = await createTestDatabase()
  try {
    const loadedWith = async (more: Readonly<Record<string, string>>): Promise<boolean> => {
      const env = { NODE_OPTIONS: `--import=${tellingHook}`, ...more }
      await using service = await deploymentOf(database.databaseUrl, env).start()
      assert.equal((await service.call('GET', '/v1/connector-providers')).status, 200)
      return service.output.includes('LOADED ')
    }
    assert.equal(await loadedWith({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }), true)
    assert.equal(await loadedWith({}), false)
  } finally {
    await database.drop()
  }
})
