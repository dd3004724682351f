import assert from 'node:assert/strict'
import type { SandboxClient } from '@connector-oauth/sandbox'
import type { TestService } from '../../support/service.ts'

/** Adds a provider of the tenant's own that is the sandbox under another client, and answers its slug. */
export async function addSandboxProvider(
  service: TestService,
  client: Pick<SandboxClient, 'clientId' | 'clientSecret'>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const reply = await service.call('POST', '/v1/admin/connector-providers', {
    body: {
      display_name: 'Second sandbox',
      issuer: service.sandbox.issuer,
      client_id: client.clientId,
      client_secret: client.clientSecret,
      // With `offline_access` the sandbox asks for consent each time.
      default_scopes: ['openid', 'profile', 'offline_access'],
      ...more,
    },
  })
  const body = (await reply.json()) as { data: { provider_slug: string } }
  assert.equal(reply.status, 201, JSON.stringify(body))
  return body.data.provider_slug
}
