import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { startTestService } from '../support/service.ts'

const page = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8')

/** Names as they are typed; PromQL adds endings to those of histograms. */
function named(text: string): ReadonlySet<string> {
  const names = text.match(/\b(?:connector_oauth|process|nodejs)_[a-z0-9_]+/g) ?? []
  return new Set(names.map((name) => name.replace(/_seconds_(?:count|sum|bucket)$/, '_seconds')))
}

it('docs/operations.md names every metric of the service, and none that does not exist', async () => {
  await using service = await startTestService({ env: { METRICS_PUBLIC: 'on' } })
  const text = await (await fetch(`${service.url}/metrics`)).text()
  const shown = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1] ?? ''))
  const told = named(page)
  assert.ok(told.size >= 17, String(told.size))
  assert.deepEqual(
    [...told].filter((name) => !shown.has(name)),
    [],
  )
  const own = [...shown].filter((name) => name.startsWith('connector_oauth_'))
  assert.ok(own.length >= 15, String(own.length))
  assert.deepEqual(
    own.filter((name) => !told.has(name)),
    [],
  )
})
