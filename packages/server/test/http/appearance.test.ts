import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { startTestService, type TestService } from '../support/service.ts'
import { assertProblem, dataOf, type Json } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const path = '/v1/admin/tenant/appearance'
const put = (body: unknown, token?: string) =>
  service.call('PUT', path, { body, ...(token !== undefined && { token }) })

const png = `data:image/png;base64,${Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').toString('base64')}`

async function pageOf(tenant: string, accept = 'en'): Promise<string> {
  const token = await service.token({ tenant })
  const place = {
    space_id: '123e4567-e89b-12d3-a456-426614174001',
    collection_id: '123e4567-e89b-12d3-a456-426614174000',
  }
  const session = await dataOf(await service.call('POST', '/v1/connect-sessions', { token, body: place }), 201)
  const url = String(session['connect_url'])
  return (await fetch(url, { headers: { 'accept-language': accept } })).text()
}

it('is set by administrators, shown on the tenant’s own page, and on no other tenant’s', async () => {
  const look = { display_name: 'Acme <b>', accent: '#0F766E', radius: 4, logo: png }
  assert.deepEqual(await dataOf(await put(look)), { ...look, accent: '#0f766e' })
  assert.deepEqual(await dataOf(await service.call('GET', path)), { ...look, accent: '#0f766e' })
  const page = await pageOf('acme')
  assert.ok(page.includes('--accent: #0f766e; --on-accent: #fff; --radius: 4px;'))
  assert.ok(page.includes(png) && page.includes('Acme &lt;b&gt;') && !page.includes('Acme <b>'))
  assert.ok(!(await pageOf('globex')).includes('Acme'))
  await assertProblem(await put({}, await service.token({ scope: 'connectors:manage' })), 403, 'missing_right')
  const plain = { display_name: null, accent: null, radius: null, logo: null }
  assert.deepEqual(await dataOf(await put({})), plain)
})

it('takes nothing that could bring markup, style, script or a request of its own', async () => {
  const svg = `data:image/svg+xml;base64,${Buffer.from('<svg/>').toString('base64')}`
  const wrong: readonly Json[] = [
    { accent: 'red' },
    { accent: '#fff' },
    { accent: '#123456; background: url(https://evil.example)' },
    { radius: 25 },
    { radius: '4px' },
    { logo: 'https://evil.example/logo.png' },
    { logo: svg },
    { logo: `data:image/png;base64,${Buffer.from('<svg onload=alert(1)>').toString('base64')}` },
    { logo: `${png}" onerror="alert(1)` },
    {
      logo: `data:image/png;base64,${Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(49_153)]).toString('base64')}`,
    },
    { display_name: 'a\u202eb' },
    { css: 'body{}' },
  ]
  for (const body of wrong) assert.equal((await put(body)).status, 422, JSON.stringify(body).slice(0, 80))
})

it('gives the same shell for an id that nobody has, in the language that is asked for', async () => {
  const shellOf = async (id: string) => {
    const reply = await fetch(`${service.url}/connect/${id}`, { headers: { 'accept-language': 'ar;q=0.9, xx' } })
    assert.equal(reply.status, 200)
    assert.match(reply.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
    assert.equal(reply.headers.get('cache-control'), 'no-store')
    assert.equal(reply.headers.get('referrer-policy'), 'no-referrer')
    return (await reply.text()).replaceAll(/nonce="[^"]+"/g, '')
  }
  const unknown = await shellOf('cs_nobody')
  assert.ok(unknown.includes('<html lang="ar" dir="rtl">'))
  assert.equal(await shellOf('%3Cscript%3E'), unknown)
  assert.equal((await pageOf('acme', 'ar')).replaceAll(/nonce="[^"]+"/g, ''), unknown)
})
