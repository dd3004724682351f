import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { collectionId, spaceId, type CallOptions, type TestService } from '../../support/service.ts'
import type { Profile } from './chromium.ts'

export interface StartedSession {
  readonly session_id: string
  readonly authorize_url: string
}

/** What a platform's backend does before it opens the popup. */
export async function startSession(
  service: TestService,
  more: Readonly<Record<string, unknown>> = {},
  options: Pick<CallOptions, 'token'> & { readonly slug?: string } = {},
): Promise<StartedSession> {
  const { slug = 'sandbox', ...call } = options
  const reply = await service.call('POST', `/v1/connectors/oauth/${slug}/sessions`, {
    ...call,
    body: { space_id: spaceId, collection_id: collectionId, ...more },
  })
  const body = (await reply.json()) as { data: StartedSession }
  assert.equal(reply.status, 201, JSON.stringify(body))
  return body.data
}

/** Signs in at the sandbox and decides. Answers once the click is made; the window is on its way then. */
export async function consentIn(
  window: Page,
  login = 'ada',
  decision: 'Allow' | 'Deny' = 'Allow',
  leftOut: readonly string[] = [],
): Promise<void> {
  await window.getByLabel('User name').fill(login)
  await window.getByRole('button', { name: 'Sign in' }).click()
  for (const scope of leftOut) await window.locator(`input[name=scope][value="${scope}"]`).uncheck()
  await window.getByRole('button', { name: decision }).click({ noWaitAfter: true })
}

/** Opens `url` in a popup of `opener`, as its own script would. */
export async function openPopup(profile: Profile, opener: Page, url: string): Promise<Page> {
  const opening = profile.context.waitForEvent('page')
  await opener.evaluate(`openPopup(${JSON.stringify(url)})`)
  return opening
}

/** What the platform's page was told so far. */
export async function messagesOf(page: Page): Promise<{ readonly origin: string; readonly data: Told }[]> {
  return page.evaluate<{ origin: string; data: Told }[]>('messages')
}

export interface Told {
  readonly source: string
  readonly session_id: string
  readonly status: string
  readonly completion_code?: string
}

/** The first message a popup's outcome brings. */
export async function firstMessage(page: Page): Promise<{ readonly origin: string; readonly data: Told }> {
  await page.waitForFunction('messages.length > 0')
  const [message] = await messagesOf(page)
  assert.ok(message)
  return message
}

/** Finishes as the platform's backend does, for the user of `token`. */
export async function complete(
  service: TestService,
  body: { readonly session_id: string; readonly completion_code: string | undefined },
  token?: string,
): Promise<{ readonly status: number; readonly body: { readonly code?: string; readonly connector_id?: string } }> {
  const reply = await service.call('POST', '/v1/connectors/oauth/sandbox/complete', {
    body,
    ...(token === undefined ? {} : { token }),
  })
  return { status: reply.status, body: (await reply.json()) as { code?: string } }
}

/** The session as its starter sees it. */
export async function sessionStatus(service: TestService, sessionId: string, token?: string): Promise<string> {
  const reply = await service.call(
    'GET',
    `/v1/connectors/oauth/sessions/${sessionId}`,
    token === undefined ? {} : { token },
  )
  const { data } = (await reply.json()) as { data: { status: string } }
  return data.status
}
