import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startTestService } from '../support/service.ts'

interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Responses }>>>>
}
type Responses = Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>

it('shows what is no JSON with its media types, and its errors as JSON', async () => {
  await using service = await startTestService()
  const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as Described
  const shown = [
    ['/v1/admin/audit/export', ['application/x-ndjson']],
    ['/v1/events/stream', ['text/event-stream']],
    ['/v1/admin/revocations/{revocation_id}/report', ['text/csv', 'application/jsonl']],
    ['/v1/admin/audit', ['application/json']],
  ] as const
  for (const [path, types] of shown) {
    const responses = document.paths[path]?.['get']?.responses ?? {}
    assert.deepEqual(Object.keys(responses['200']?.content ?? {}), types)
    assert.deepEqual(Object.keys(responses['422']?.content ?? {}), ['application/json'])
  }
})
