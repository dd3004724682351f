import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { startTestService, type TestService } from '../support/service.ts'
import { anonymous, assertProblem, browser, connectorsPath, rows } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

/** Addresses that a person may come to, the status there, and the page's heading. */
const addresses: readonly (readonly [path: string, status: number, title: string])[] = [
  ['/nowhere', 404, 'This page does not exist'],
  ['/docs/nowhere', 404, 'This page does not exist'],
  ['/connect', 404, 'This page does not exist'],
  ['/%zz', 400, 'This page does not exist'],
  ['/v1/nowhere', 404, 'Nothing to see here'],
  ['/api-proxy/v1/nowhere', 404, 'Nothing to see here'],
  ['/v1/events', 401, 'Nothing to see here'],
  ['/v1/login', 405, 'Nothing to see here'],
]

it('answers a browser that navigates with a page, and everybody else with JSON', async () => {
  for (const [path, status, title] of addresses) {
    const reply = await anonymous(service, path, browser)
    const text = await reply.text()
    assert.equal(reply.status, status, path)
    assert.match(reply.headers.get('content-type') ?? '', /^text\/html/, path)
    assert.ok(text.includes(`<h1>${title}</h1>`), `${path}: ${text}`)
    // What its script asks for, what a frame shows and what a program asks for are no navigations.
    const script = { ...browser, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }
    const frame = { ...browser, 'sec-fetch-dest': 'iframe' }
    const others = [script, frame, { accept: 'text/html' }, { ...browser, accept: 'application/json' }, {}]
    for (const headers of others) {
      const json = await anonymous(service, path, headers)
      assert.match(json.headers.get('content-type') ?? '', /^application\/json/, path)
      await assertProblem(json, status, /<code>(\w+)/.exec(text)?.[1] ?? '')
    }
  }
})

it('keeps the headers of the error beside the page', async () => {
  const unauthorized = await anonymous(service, '/v1/events', browser)
  assert.equal(unauthorized.headers.get('www-authenticate'), 'Bearer realm="connector-oauth"')
  const wrongMethod = await anonymous(service, connectorsPath, browser, 'PUT')
  assert.equal(wrongMethod.status, 405)
  assert.equal(wrongMethod.headers.get('allow'), 'GET, POST')
})

it('cuts itself off from whoever opened it, except where a popup comes by', async () => {
  const policyOf = (reply: Response) => reply.headers.get('cross-origin-opener-policy')
  for (const [path, status] of addresses) {
    const reply = await anonymous(service, path, browser)
    assert.equal(reply.status, status)
    assert.equal(policyOf(reply), 'same-origin', path)
  }
  await rows(service, 'alter table transactions rename to missing_transactions')
  await rows(service, 'alter table connect_sessions rename to missing_sessions')
  const finished = await anonymous(service, '/v1/connectors/oauth/finished/ses_x', browser)
  const connect = await anonymous(service, '/connect/cs_x', browser)
  await rows(service, 'alter table missing_transactions rename to transactions')
  await rows(service, 'alter table missing_sessions rename to connect_sessions')
  const unreadable = { ...browser, 'content-type': 'text/plain' }
  const callback = await anonymous(service, '/v1/connectors/oauth/sandbox/callback', unreadable, 'POST')
  for (const [reply, status] of [
    [finished, 500],
    [connect, 500],
    [callback, 415],
  ] as const) {
    assert.equal(reply.status, status)
    assert.ok((await reply.text()).includes('<h1>'))
    assert.equal(policyOf(reply), 'unsafe-none', reply.url)
  }
})

it('runs nothing, loads nothing, and repeats nothing of the address', async () => {
  for (const path of ['/planted<b>"word', '/v1/planted?planted=1', '/planted%zz']) {
    const reply = await anonymous(service, encodeURI(path), browser)
    const policy = reply.headers.get('content-security-policy') ?? ''
    assert.match(
      policy,
      /^default-src 'none'; img-src data:; style-src 'nonce-[\w+/=]+'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'$/,
    )
    assert.equal(reply.headers.get('cache-control'), 'no-store')
    assert.equal(reply.headers.get('referrer-policy'), 'no-referrer')
    const text = await reply.text()
    assert.doesNotMatch(text, /planted|<script|(src|href)="(?!data:|\/")/)
  }
})

it('speaks the language that the browser asks for', async () => {
  const reply = await anonymous(service, '/nowhere', { ...browser, 'accept-language': 'ar;q=0.9, en;q=0.1' })
  const text = await reply.text()
  assert.match(text, /<html lang="ar" dir="rtl">/)
  assert.ok(text.includes('<h1>هذه الصفحة غير موجودة</h1>'))
})

it('says of a fault of the service that it is ours, with the id to quote', async () => {
  await rows(service, 'alter table connect_sessions rename to missing')
  const reply = await anonymous(service, '/connect/cs_x', { ...browser, 'x-request-id': 'req-of-mine' })
  await rows(service, 'alter table missing rename to connect_sessions')
  const text = await reply.text()
  assert.equal(reply.status, 500)
  assert.ok(text.includes('<h1>This page cannot be shown</h1>'), text)
  assert.ok(text.includes('Something went wrong on our side.'), text)
  assert.ok(text.includes('<code>internal_error · req-of-mine</code>'), text)
})
