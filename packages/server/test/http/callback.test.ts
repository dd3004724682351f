import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { consentedCallback } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'
import {
  anonymous,
  assertProblem,
  browser,
  consentedTicket,
  countOf,
  jsonOf,
  racing,
  rows,
  sendCallback,
  sessionStatus,
  startSession,
} from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const tokenRequests = () => service.sandbox.counts.tokenRequests

/** Checks that what `work` does reaches no token endpoint. */
async function withoutTokenRequest(work: () => Promise<unknown>): Promise<void> {
  const earlier = tokenRequests()
  await work()
  assert.equal(tokenRequests(), earlier)
}

function changed(callback: URL, change: (query: URLSearchParams) => void): URL {
  const copy = new URL(callback)
  change(copy.searchParams)
  return copy
}

it('answers 400 invalid_state, never a redirect, for a state that is unknown, altered, used or expired', async () => {
  const callback = await consentedCallback(service)
  const altered = changed(callback, (query) => query.set('state', `A${query.get('state')?.slice(1)}`))
  const unknown = changed(callback, (query) => query.set('state', '123e4567-e89b-12d3-a456-426614174000'))
  await withoutTokenRequest(async () => {
    for (const url of [unknown, altered]) {
      await assertProblem(await sendCallback(service, url), 400, 'invalid_state')
      const page = await anonymous(service, url.pathname + url.search, browser)
      assert.equal(page.status, 400)
      assert.equal(page.headers.get('location'), null)
    }
  })
  assert.equal((await sendCallback(service, callback)).status, 200)
  await withoutTokenRequest(async () => {
    await assertProblem(await sendCallback(service, callback), 400, 'invalid_state')
    const late = await consentedCallback(service)
    service.clock.advance(10 * 60_000 + 1)
    await assertProblem(await sendCallback(service, late), 400, 'invalid_state')
  })
})

it('answers 400 invalid_state on the path of another provider, before any outbound call, and uses nothing up', async () => {
  const callback = await consentedCallback(service)
  await withoutTokenRequest(async () => {
    for (const slug of ['github', 'google', 'c-0123456789abcdef']) {
      await assertProblem(await sendCallback(service, callback, { slug }), 400, 'invalid_state')
    }
    await assertProblem(await sendCallback(service, callback, { slug: 'none' }), 404, 'provider_unknown')
  })
  assert.equal((await sendCallback(service, callback)).status, 200)
})

it('refuses a wrong or missing iss where the provider promises it, and uses nothing up', async () => {
  const callback = await consentedCallback(service)
  assert.equal(callback.searchParams.get('iss'), service.sandbox.issuer)
  await withoutTokenRequest(async () => {
    for (const iss of ['https://evil.example', `${service.sandbox.issuer}/`, '']) {
      const wrong = changed(callback, (query) => query.set('iss', iss))
      await assertProblem(await sendCallback(service, wrong), 400, 'invalid_state')
    }
    const without = changed(callback, (query) => query.delete('iss'))
    await assertProblem(await sendCallback(service, without), 400, 'invalid_state')
  })
  assert.equal((await sendCallback(service, callback)).status, 200)
})

it('accepts parameters of the provider’s own', async () => {
  const callback = changed(await consentedCallback(service), (query) => query.set('session_state', 'x'))
  assert.equal((await sendCallback(service, callback)).status, 200)
})

it('without bearer and not a browser: 401, and nothing is consumed', async () => {
  const callback = await consentedCallback(service)
  await withoutTokenRequest(async () => {
    for (const accept of ['*/*', 'application/json', 'text/html;q=0.5,application/json', 'image/png']) {
      const reply = await anonymous(service, callback.pathname + callback.search, { accept })
      assert.ok(reply.headers.has('www-authenticate'))
      await assertProblem(reply, 401, 'unauthorized')
    }
  })
  assert.equal((await sendCallback(service, callback)).status, 200)
})

it('with an invalid bearer: 401 also for a browser, and nothing is consumed', async () => {
  const callback = await consentedCallback(service)
  const headers = { ...browser, authorization: 'Bearer nonsense' }
  assert.equal((await anonymous(service, callback.pathname + callback.search, headers)).status, 401)
  assert.equal((await sendCallback(service, callback)).status, 200)
})

it('makes exactly one token request however many callbacks race', async () => {
  const callback = await consentedCallback(service)
  const [earlier, connectors] = [tokenRequests(), await countOf(service, 'connectors')]
  const replies = await racing(service, () =>
    Promise.all(Array.from({ length: 50 }, () => sendCallback(service, callback))),
  )
  assert.equal(replies.filter((reply) => reply.status === 200).length, 1)
  assert.equal(replies.filter((reply) => reply.status === 400).length, 49)
  assert.equal(tokenRequests(), earlier + 1)
  assert.equal(await countOf(service, 'connectors'), connectors + 1)
})

it('parks once however many browsers’ callbacks race, and asks for no token', async () => {
  const session = await startSession(service, { origin: service.url })
  const { callback, cookies } = await consentedTicket(service, session)
  await withoutTokenRequest(async () => {
    const path = callback.pathname + callback.search
    const replies = await racing(service, () =>
      Promise.all(Array.from({ length: 20 }, () => anonymous(service, path, { ...browser, cookie: cookies }))),
    )
    assert.equal(replies.filter((reply) => reply.status === 303).length, 1)
    assert.equal(replies.filter((reply) => reply.status === 400).length, 19)
  })
  const stored = JSON.stringify(await rows(service, 'select * from transactions'))
  assert.ok(!stored.includes(callback.searchParams.get('code') ?? 'absent'))
})

it('gives JSON to a script and a self-contained page to a browser', async () => {
  const script = await sendCallback(service, await consentedCallback(service))
  assert.match(script.headers.get('content-type') ?? '', /^application\/json/)
  const callback = await consentedCallback(service)
  const page = await sendCallback(service, callback, { headers: { accept: 'text/html,*/*;q=0.8' } })
  assert.equal(page.status, 200)
  assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
  const text = await page.text()
  assert.ok(!text.includes(callback.searchParams.get('code') ?? 'absent'))
  assert.ok(!/https?:\/\/(?!localhost)/.test(text), 'nothing third-party')
})

it('access_denied: transaction consumed, 400 access_denied, no token request', async () => {
  const session = await startSession(service)
  const { callback } = await consentedTicket(service, session)
  const denied = changed(callback, (query) => {
    query.delete('code')
    query.set('error', 'access_denied')
  })
  await withoutTokenRequest(async () => {
    await assertProblem(await sendCallback(service, denied), 400, 'access_denied')
    const status = await sessionStatus(service, session.session_id)
    assert.deepEqual([status['status'], status['error_code']], ['failed', 'access_denied'])
    await assertProblem(await sendCallback(service, callback), 400, 'invalid_state')
  })
})

it('reports a person’s own refusal at the provider as access_denied', async () => {
  const callback = await consentedCallback(service, { decision: 'deny', login: 'denier' })
  assert.equal(callback.searchParams.get('error'), 'access_denied')
  await assertProblem(await sendCallback(service, callback), 400, 'access_denied')
})

it('passes the provider’s own error code on, cut and stripped, and beside a code the error wins', async () => {
  const cases = [
    ['temporarily_unavailable', 'temporarily_unavailable'],
    ['<script>alert(1)</script>', '_script_alert_1_script_'],
    ['x'.repeat(200), 'x'.repeat(64)],
  ] as const
  for (const [error, code] of cases) {
    const refused = changed(await consentedCallback(service), (query) => query.set('error', error))
    await withoutTokenRequest(async () => {
      await assertProblem(await sendCallback(service, refused), 400, code)
    })
  }
})

it('escapes the provider’s description in the page and cuts it in JSON', async () => {
  const markup = `<img src=x onerror=alert(1)>"'&${'y'.repeat(1000)}`
  const refuse = (query: URLSearchParams) => {
    query.set('error', 'server_error')
    query.set('error_description', markup)
  }
  const page = await sendCallback(service, changed(await consentedCallback(service), refuse), { headers: browser })
  assert.equal(page.status, 400)
  const text = await page.text()
  assert.ok(!text.includes('<img') && text.includes('&lt;img'))
  const json = await jsonOf(await sendCallback(service, changed(await consentedCallback(service), refuse)))
  assert.ok(String(json['detail']).length < 350)
})

it('an error with an unknown state redirects nowhere and says nothing of the error', async () => {
  const path = '/v1/connectors/oauth/sandbox/callback?error=access_denied&error_description=evil&state=unknown'
  const page = await anonymous(service, path, browser)
  assert.equal(page.status, 400)
  assert.equal(page.headers.get('location'), null)
  assert.ok(!(await page.text()).includes('evil'))
})

it('HEAD and prefetches consume nothing', async () => {
  const callback = await consentedCallback(service)
  const path = callback.pathname + callback.search
  assert.equal((await service.call('HEAD', path)).status, 204)
  await assertProblem(
    await service.call('GET', path, { headers: { 'sec-purpose': 'prefetch' } }),
    503,
    'prefetch_refused',
  )
  assert.equal((await sendCallback(service, callback)).status, 200)
})
