import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { consentedCallback } from '../support/consent.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import type { TestService } from '../support/service.ts'
import { assertProblem, browser, cookiesOf, send, sendCallback, sessionStatus, startSession } from './calls.ts'
import { addProvider, craftedCallback, grant, serviceBeside } from './own-providers.ts'

let provider: HostileProvider
let service: TestService
let slug: string
before(async () => {
  provider = await startHostileProvider()
  provider.answer('/token', grant())
  service = await serviceBeside([provider])
  slug = await addProvider(service, provider, { extra_authorize_params: { response_mode: 'form_post' } })
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await provider.close()
})

async function post(callback: URL, headers: Readonly<Record<string, string>> = {}, more = ''): Promise<Response> {
  return send(callback.origin + callback.pathname, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: callback.search.slice(1) + more,
  })
}
const bearer = async () => ({ authorization: `Bearer ${await service.token()}` })

it('takes the provider’s form post with a bearer', async () => {
  const reply = await post(await craftedCallback(service, slug), await bearer())
  assert.equal(reply.status, 200, await reply.text())
})

it('relays a browser’s cross-site post as a same-site one, which carries the Lax cookie, and parks the code', async () => {
  const session = await startSession(service, { origin: service.url }, { slug })
  const departure = await send(session.authorize_url, { headers: browser })
  const state = new URL(departure.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const callback = new URL(`${service.url}/v1/connectors/oauth/${slug}/callback`)
  callback.search = new URLSearchParams({ code: '"><script>', state }).toString()
  const relay = await post(callback, browser)
  assert.equal(relay.status, 200)
  const page = await relay.text()
  assert.ok(page.includes('name="relayed"') && page.includes(state) && !page.includes('"><script>'))
  assert.equal((await sessionStatus(service, session.session_id))['status'], 'started')
  const parked = await post(callback, { ...browser, cookie: cookiesOf(departure) }, '&relayed=1')
  assert.equal(parked.status, 303, await parked.text())
  assert.equal((await sessionStatus(service, session.session_id))['status'], 'awaiting_completion')
})

it('refuses a form post from a provider that answers in the query, and uses nothing up', async () => {
  const callback = await consentedCallback(service)
  await assertProblem(await post(callback, await bearer()), 400, 'form_post_not_expected')
  assert.equal((await sendCallback(service, callback)).status, 200)
})

it('without bearer and not a browser: 401, and nothing is consumed', async () => {
  const callback = await craftedCallback(service, slug)
  await assertProblem(await post(callback), 401, 'unauthorized')
  assert.equal((await post(callback, await bearer())).status, 200)
})

it('answers 400 repeated_parameter for a field given twice', async () => {
  const callback = await craftedCallback(service, slug)
  await assertProblem(await post(callback, await bearer(), '&code=other'), 400, 'repeated_parameter')
})
