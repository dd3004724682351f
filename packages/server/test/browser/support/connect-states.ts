import { randomUUID } from 'node:crypto'
import type { Page } from 'playwright-core'

type Json = Readonly<Record<string, unknown>>

const scopes = [
  { name: 'openid', description: '' },
  { name: 'files.read', description: 'Read your files' },
  { name: 'files.write.all', description: '' },
  { name: 'files.share', description: '' },
  { name: 'https://www.googleapis.com/auth/calendar.events.readonly', description: '' },
]
const provider = (slug: string, name: string, more: Json = {}): Json => ({
  provider_slug: slug,
  display_name: name,
  logo_url: null,
  categories: ['storage'],
  scopes,
  setup_complete: true,
  connected: false,
  url_variables: [],
  ...more,
})
const dropbox = provider('dropbox', 'Dropbox')
const shop = provider('shopify', 'Shopify', {
  url_variables: [
    {
      name: 'shop',
      title: 'Shop',
      description: 'Address of the shop',
      pattern: String.raw`^[a-z0-9][a-z0-9-]{0,60}\.myshopify\.com$`,
      example: 'acme.myshopify.com',
      default: null,
      allowed: null,
      per: 'connection',
      required: true,
    },
    {
      name: 'region',
      title: 'Region',
      description: 'Where the shop is kept',
      pattern: '^(eu|us)$',
      example: 'eu',
      default: 'eu',
      allowed: ['eu', 'us'],
      per: 'connection',
      required: false,
    },
  ],
})
const many = [
  dropbox,
  provider('google', 'Google Drive', { connected: true }),
  provider('slack', 'Slack'),
  provider('dynamics', 'Microsoft Dynamics 365 Business Central for Larger Organisations'),
  provider('github', 'GitHub', { setup_complete: false }),
  shop,
  provider('notion', 'Notion'),
]

const display = {
  tenant_name: 'Acme Analytics',
  space_name: 'Sales in Europe, the Middle East and Africa',
  collection_name: 'Quarterly reports',
  started_by: 'ada.lovelace.with.a.rather.long.address@analytics.example',
}

/** The id of the made-up attempt that this tab is said to have started. */
const attemptId = 'ses_shown'
const attempt = (status: string, code: string | null = null, slug = 'dropbox'): Json => ({
  attempt: { session_id: attemptId, provider_slug: slug, status, error_code: code },
})
const failed = (code: string): Json => ({ status: 'started', error_code: code, ...attempt('failed', code) })
/** As the service leaves a page that came back from a provider. */
const back = (status: string) => `#session_id=${attemptId}&status=${status}&provider=dropbox`

interface Shown {
  /** No page has opened it. */
  readonly isAlone?: true
  /** What the service says of the session. */
  readonly page?: Json
  /** How the service refuses instead. */
  readonly refusal?: readonly [status: number, code: string]
  /** In the address, in place of the token. */
  readonly fragment?: string
  /** What the user does then. */
  readonly act?: (page: Page) => Promise<void>
  /** The user is in a field then, and not at the heading. */
  readonly isTyping?: true
  readonly heading: string
}

/** A window that looks open at first, and closed, or not, once the provider's pages are in it. */
const opens = (isClosed: string) => `window.open = () => {
  const opened = { closed: false, close() {}, location: { replace() { opened.closed = ${isClosed} } } }
  return opened
}`
const go = (page: Page) => page.locator('.button.main').click()
const one = (given: Json): Json => ({ providers: [given] })

/** Every state of the page, as it comes about by what the service answers; no secret and no provider is needed. */
export const connectStates: Readonly<Record<string, Shown>> = {
  confirm: { page: { mode: 'link', redirect_uri: 'https://app.example/landing' }, heading: 'confirm.title' },
  picker: { page: { providers: many }, heading: 'picker.title' },
  'picker-none': {
    page: { providers: many },
    act: (page) => page.getByRole('searchbox').fill('zzz'),
    isTyping: true,
    heading: 'picker.title',
  },
  'picker-empty': { page: { providers: [] }, heading: 'picker.empty.title' },
  fields: { page: one(shop), heading: 'fields.title' },
  'fields-wrong': {
    page: one(shop),
    async act(page) {
      await page.getByRole('textbox').fill('Not a shop')
      await go(page)
    },
    isTyping: true,
    heading: 'fields.title',
  },
  review: { page: {}, heading: 'review.title' },
  'review-again': {
    page: { providers: [{ ...dropbox, connected: true, scopes: [] }] },
    heading: 'review.title',
  },
  leaving: { page: { redirect_uri: 'https://app.example/landing' }, act: go, heading: 'leaving.title' },
  elsewhere: {
    page: { origin: 'https://app.example' },
    async act(page) {
      await page.evaluate(opens('false'))
      await go(page)
    },
    heading: 'elsewhere.title',
  },
  blocked: {
    page: { origin: 'https://app.example' },
    async act(page) {
      await page.evaluate('window.open = () => null')
      await go(page)
    },
    heading: 'blocked.title',
  },
  closed: {
    page: { origin: 'https://app.example', ...attempt('started') },
    async act(page) {
      await page.evaluate(opens('true'))
      await go(page)
    },
    heading: 'closed.title',
  },
  unreachable: { page: { origin: 'https://app.example' }, isAlone: true, heading: 'unreachable.title' },
  finishing: {
    page: { status: 'awaiting_completion', ...attempt('awaiting_completion') },
    heading: 'finishing.title',
  },
  unfinished: {
    page: { status: 'awaiting_completion', ...attempt('expired') },
    heading: 'unfinished.title',
  },
  success: {
    page: { status: 'connected', ...attempt('connected') },
    fragment: back('connected'),
    heading: 'success.title',
  },
  partial: {
    page: { status: 'connected', missing_scopes: scopes.slice(1, 3), ...attempt('connected') },
    heading: 'partial.title',
  },
  already: { page: { status: 'connected', ...attempt('connected') }, heading: 'already.title' },
  denied: { page: failed('access_denied'), fragment: back('failed'), heading: 'failure.denied.title' },
  cancelled: { page: { status: 'failed', error_code: 'cancelled' }, heading: 'failure.cancelled.title' },
  'wrong-account': {
    page: failed('account_changed'),
    fragment: back('failed'),
    heading: 'failure.wrong_account.title',
  },
  'other-person': {
    page: failed('principal_mismatch'),
    fragment: back('failed'),
    heading: 'failure.other_person.title',
  },
  'waiting-admin': {
    page: failed('admin_policy_enforced'),
    fragment: back('failed'),
    heading: 'failure.waiting_admin.title',
  },
  'not-set-up': { page: one({ ...dropbox, setup_complete: false }), heading: 'failure.not_set_up.title' },
  expired: { refusal: [401, 'connect_session_expired'], heading: 'failure.expired.title' },
  lost: { refusal: [401, 'connect_token_invalid'], heading: 'failure.lost.title' },
  error: { refusal: [500, 'internal_error'], heading: 'failure.our_fault.title' },
}

/** Brings the Connect page into a state. `origin` is that of the page it was opened from. */
export async function reachState(page: Page, service: string, state: Shown, locale: string): Promise<void> {
  // Pages of one session hand outcomes to each other.
  const id = `cs_${randomUUID()}`
  await page.unrouteAll({ behavior: 'ignoreErrors' })
  await page.route('**/v1/connect-sessions/current**', async (route) => {
    const { pathname } = new URL(route.request().url())
    if (state.refusal !== undefined) {
      const [status, code] = state.refusal
      const headers = { 'x-request-id': 'req_4f9c2b' }
      return route.fulfill({ status, headers, json: { code, detail: 'As the service says it.' } })
    }
    if (pathname.endsWith('/cancel')) return route.fulfill({ status: 204 })
    const started = { session_id: attemptId, authorize_url: `${service}/connect/provider` }
    // While this waits, the page is on its way.
    if (pathname.endsWith('/start') && state.heading === 'leaving.title') return undefined
    if (pathname.endsWith('/start')) return route.fulfill({ status: 201, json: { data: started } })
    return route.fulfill({ json: { data: { ...basic(id), ...state.page } } })
  })
  await page.setExtraHTTPHeaders({ 'accept-language': locale })
  await page.goto(`${service}/connect/${id}`)
  await page.evaluate(
    `sessionStorage.setItem('connect started ${id}', '["${attemptId}"]'); sessionStorage.setItem('connect ${id}', 'cst_shown')`,
  )
  await page.goto(`${service}/connect/${id}?again${state.fragment ?? ''}`)
  await page
    .locator('#view .spinner + h1')
    .waitFor({ state: 'hidden' })
    .catch(() => undefined)
  await state.act?.(page)
}

function basic(id: string): Json {
  return {
    connect_session_id: id,
    mode: 'popup',
    status: 'created',
    error_code: null,
    attempts_left: 20,
    expires_at: '2030-01-01T00:00:00.000Z',
    origin: null,
    redirect_uri: null,
    display,
    providers: [dropbox],
    attempt: null,
    missing_scopes: [],
  }
}
