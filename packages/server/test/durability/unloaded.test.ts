import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startCollector } from '../support/collector.ts'
import { deploymentOf } from '../support/service-process.ts'
import { createTestDatabase } from '../support/test-database.ts'

/**
 * Tells of each module that is loaded of what production has no use for, in whichever module system: OpenTelemetry, the sandbox's
 * server, the framework's compilers, the API reference. OpenTelemetry's interface without anything behind it does not count: the job queue and the
 * metrics library load that.
 */
const tellingHook = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  import { writeSync } from 'node:fs'
  registerHooks({
    load(url, context, next) {
      if (/\\/(@opentelemetry\\/(?!api\\/)|oidc-provider\\/|ajv\\/|@scalar\\/)/.test(url)) writeSync(2, 'LOADED ' + url + '\\n')
      return next(url, context)
    },
  })
`)}`

it('loads the tracer and its exporter only where a collector is named, and nothing that production has no use for', async () => {
  await using collector = await startCollector()
  const database = await createTestDatabase()
  try {
    const loadedWith = async (more: Readonly<Record<string, string>>): Promise<readonly string[]> => {
      const env = { NODE_OPTIONS: `--import=${tellingHook}`, ...more }
      await using service = await deploymentOf(database.databaseUrl, env).start()
      assert.equal((await service.call('GET', '/v1/connector-providers')).status, 200)
      return service.output.split('\n').filter((line) => line.startsWith('LOADED '))
    }
    const loaded = await loadedWith({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
    assert.notDeepEqual(loaded, [])
    assert.deepEqual(
      loaded.filter((line) => !line.includes('/@opentelemetry/')),
      [],
    )
    assert.deepEqual(await loadedWith({}), [])
  } finally {
    await database.drop()
  }
})
