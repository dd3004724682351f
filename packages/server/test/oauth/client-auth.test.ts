import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { authenticateClient, clientAuthMethod } from '../../src/oauth/client-auth.ts'
import { clientFor, definitionAt } from './fixtures.ts'

const at = (more: Partial<ProviderDefinition>) => definitionAt('https://provider.example', more)
const basicOf = (text: string) => ({
  headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` },
  parameters: {},
})

describe('client authentication', () => {
  it('by Basic is the example of RFC 6749 §2.3.1', () => {
    const client = clientFor(at({}), { clientId: 's6BhdRkqt3', clientSecret: '7Fjfp0ZBr1KtDRbnfVdmIw' })
    assert.deepEqual(authenticateClient(client, 'client_secret_basic'), {
      headers: { authorization: 'Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3' },
      parameters: {},
    })
  })

  const odd = { clientId: 'id:with colon', clientSecret: 's%c/r+t=&ü' }
  it('by Basic form-urlencodes both parts, so that a colon in the id cannot move the border', () => {
    const client = clientFor(at({}), odd)
    const expected = basicOf('id%3Awith+colon:s%25c%2Fr%2Bt%3D%26%C3%BC')
    assert.deepEqual(authenticateClient(client, 'client_secret_basic'), expected)
  })

  it('by Basic leaves both raw, or sends the secret as the user, where the definition says so', () => {
    const raw = clientFor(at({ basic_encoding: 'raw' }), odd)
    assert.deepEqual(authenticateClient(raw, 'client_secret_basic'), basicOf('id:with colon:s%c/r+t=&ü'))
    const asUser = clientFor(at({ basic_encoding: 'secret_as_user' }), odd)
    assert.deepEqual(authenticateClient(asUser, 'client_secret_basic'), basicOf('s%c/r+t=&ü:'))
  })

  it('by body uses the definition’s names and no header', () => {
    const client = clientFor(at({ client_id_parameter: 'client_key', client_secret_parameter: 'app_secret' }))
    assert.deepEqual(authenticateClient(client, 'client_secret_post'), {
      headers: {},
      parameters: { client_key: 'client-1', app_secret: 'client-secret' },
    })
  })

  it('of a public client is its id alone', () => {
    const client = clientFor(at({ client_auth: 'client_secret_basic' }), { clientSecret: null })
    assert.equal(clientAuthMethod(client, 'code'), 'none')
    assert.deepEqual(authenticateClient(client, 'none'), { headers: {}, parameters: { client_id: 'client-1' } })
  })

  it('uses one method for the code and another for refreshes where the definition says so', () => {
    const client = clientFor(at({ client_auth: 'client_secret_post', refresh_client_auth: 'client_secret_basic' }))
    assert.equal(clientAuthMethod(client, 'code'), 'client_secret_post')
    assert.equal(clientAuthMethod(client, 'refresh'), 'client_secret_basic')
    assert.equal(clientAuthMethod(client, 'revocation'), 'client_secret_post')
  })
})
