import type { ConnectFailure } from '../../src/connect-error.ts'
import type { Via } from '../../src/outcome.ts'
import type { BrowserName } from './browsers.ts'

/** One situation, and how a connection ends in it: the rung that finished it, or the reason why it could not be. */
export interface Row {
  readonly mode: 'popup' | 'redirect' | 'Connect page by popup' | 'Connect page by redirect' | 'link'
  readonly situation: string
  /** Whether the request names a landing page. */
  readonly landing: boolean
  /** The landing page cannot tell that this browser began it, and asks the user. */
  readonly asks?: true
  readonly ends: Via | ConnectFailure
  /** Where it is tried; both unless said otherwise. */
  readonly only?: BrowserName
}

/**
 * The matrix: `matrixCases` plays each row in real browsers and holds it to `ends`; `docs/browser-support.md` is
 * written from it.
 */
export const rows = {
  plain: { mode: 'popup', situation: 'the opener is kept', landing: false, ends: 'message' },
  plainLanding: { mode: 'popup', situation: 'the opener is kept', landing: true, ends: 'channel', only: 'chromium' },
  severed: {
    mode: 'popup',
    situation: 'the provider’s pages send `Cross-Origin-Opener-Policy: same-origin`',
    landing: true,
    ends: 'channel',
  },
  severedBare: {
    mode: 'popup',
    situation: 'the same',
    landing: false,
    ends: 'expired',
    only: 'chromium',
  },
  ownPolicy: {
    mode: 'popup',
    situation: 'your own page sends that policy',
    landing: true,
    ends: 'channel',
    only: 'chromium',
  },
  noChannel: {
    mode: 'popup',
    situation: 'the provider’s policy, in a browser without `BroadcastChannel`',
    landing: true,
    ends: 'storage',
  },
  deaf: {
    mode: 'popup',
    situation: 'the provider’s policy, and neither channel nor storage reach your page',
    landing: true,
    asks: true,
    ends: 'status',
    only: 'chromium',
  },
  blocked: { mode: 'popup', situation: 'the browser blocks the window', landing: false, ends: 'blocked' },
  closed: {
    mode: 'popup',
    situation: 'the window is closed half-way',
    landing: false,
    ends: 'closed',
    only: 'chromium',
  },
  two: { mode: 'popup', situation: 'two windows at once', landing: false, ends: 'message', only: 'chromium' },
  twoLanding: { mode: 'popup', situation: 'two windows at once', landing: true, ends: 'channel', only: 'chromium' },
  reloadApp: {
    mode: 'popup',
    situation: 'your page is loaded anew half-way, and calls `resumeConnect`',
    landing: false,
    ends: 'message',
    only: 'chromium',
  },
  reloadAppSevered: {
    mode: 'popup',
    situation: 'the same, and the provider’s policy',
    landing: true,
    ends: 'channel',
    only: 'chromium',
  },
  reloadWindow: {
    mode: 'popup',
    situation: 'the provider’s page is loaded anew half-way',
    landing: false,
    ends: 'message',
    only: 'chromium',
  },
  backInWindow: {
    mode: 'popup',
    situation: 'the back button in the window',
    landing: false,
    ends: 'message',
    only: 'chromium',
  },
  cookies: {
    mode: 'popup',
    situation: 'third-party cookies are off',
    landing: false,
    ends: 'message',
    only: 'chromium',
  },
  phone: { mode: 'popup', situation: 'an emulated phone', landing: true, ends: 'channel', only: 'chromium' },
  frame: { mode: 'popup', situation: 'your page is in a frame of another site', landing: false, ends: 'message' },
  frameLanding: {
    mode: 'popup',
    situation: 'the same',
    landing: true,
    ends: 'landing_message',
    only: 'chromium',
  },
  frameSevered: {
    mode: 'popup',
    situation: 'the same, and the provider’s policy',
    landing: true,
    asks: true,
    ends: 'status',
  },
  redirect: { mode: 'redirect', situation: 'nothing special', landing: true, ends: 'landing' },
  redirectSevered: {
    mode: 'redirect',
    situation: 'the provider’s policy',
    landing: true,
    ends: 'landing',
    only: 'chromium',
  },
  redirectCookies: {
    mode: 'redirect',
    situation: 'third-party cookies are off',
    landing: true,
    ends: 'landing',
    only: 'chromium',
  },
  redirectPhone: { mode: 'redirect', situation: 'an emulated phone', landing: true, ends: 'landing', only: 'chromium' },
  redirectReload: {
    mode: 'redirect',
    situation: 'the provider’s page is loaded anew half-way',
    landing: true,
    ends: 'landing',
    only: 'chromium',
  },
  redirectBack: {
    mode: 'redirect',
    situation: 'the back button at the provider',
    landing: true,
    ends: 'closed',
    only: 'chromium',
  },
  redirectFrame: {
    mode: 'redirect',
    situation: 'your page is in a frame of another site',
    landing: true,
    ends: 'blocked',
    only: 'chromium',
  },
  page: { mode: 'Connect page by popup', situation: 'the opener is kept', landing: false, ends: 'message' },
  pageSevered: { mode: 'Connect page by popup', situation: 'the provider’s policy', landing: false, ends: 'message' },
  pageLanding: {
    mode: 'Connect page by popup',
    situation: 'the provider’s policy',
    landing: true,
    ends: 'channel',
    only: 'chromium',
  },
  pageBlocked: {
    mode: 'Connect page by popup',
    situation: 'the browser blocks the provider’s window, and the user goes on in this one',
    landing: false,
    ends: 'message',
    only: 'chromium',
  },
  pageClosed: {
    mode: 'Connect page by popup',
    situation: 'the window is closed half-way',
    landing: false,
    ends: 'closed',
    only: 'chromium',
  },
  pageOpenedAgain: {
    mode: 'Connect page by popup',
    situation: 'the provider’s window is closed half-way, and opened again',
    landing: false,
    ends: 'message',
    only: 'chromium',
  },
  pageAskedAgain: {
    mode: 'Connect page by popup',
    situation: 'the user leaves a permission out, is asked again, and allows it',
    landing: false,
    ends: 'message',
    only: 'chromium',
  },
  pageLeftOut: {
    mode: 'Connect page by popup',
    situation: 'the user leaves a permission out, is asked again, denies it, and leaves it so',
    landing: false,
    ends: 'message',
    only: 'chromium',
  },
  pageAskedAgainAfterReload: {
    mode: 'Connect page by popup',
    situation: 'the user leaves a permission out, your page is loaded anew, and the user is asked again, and allows it',
    landing: false,
    ends: 'message',
    only: 'chromium',
  },
  pageLeftOutAfterReload: {
    mode: 'Connect page by popup',
    situation: 'the user leaves a permission out, your page is loaded anew, and the window is closed',
    landing: false,
    ends: 'status',
  },
  pageRedirect: {
    mode: 'Connect page by redirect',
    situation: 'the browser has blocked the window before',
    landing: true,
    ends: 'landing',
  },
  link: {
    mode: 'link',
    situation: 'opened in another tab, closed at the provider, and opened again',
    landing: true,
    asks: true,
    ends: 'landing',
    only: 'chromium',
  },
  linkElsewhere: {
    mode: 'link',
    situation: 'opened in another browser where the same user is signed in, and the provider’s policy',
    landing: true,
    asks: true,
    ends: 'landing',
  },
  linkStranger: {
    mode: 'link',
    situation: 'another user is signed in where it is opened',
    landing: true,
    asks: true,
    ends: 'principal_mismatch',
    only: 'chromium',
  },
} as const satisfies Readonly<Record<string, Row>>

export type RowName = keyof typeof rows
