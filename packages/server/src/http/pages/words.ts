import type { ProblemCode } from '../../core/problem.ts'

/** What a page says of a problem: to a person who only clicked a button, and knows nothing of tokens and parameters. */
export interface Words {
  readonly title: string
  readonly sentence: string
}

/**
 * Words for a code, also for one of a provider's own. The API's sentence for the same code is written for whoever
 * builds the app, and stands in the page's details.
 */
export function wordsFor(code: string): Words {
  return isListed(code) ? words[code] : asRefused
}

function isListed(code: string): code is keyof typeof words {
  return Object.hasOwn(words, code)
}

const title = 'The account was not connected'
const badSetUp = {
  title,
  sentence:
    'The app that sent you here is not set up right for this connection. Please tell the people who run it, and show them the details below.',
}
const ourFault = {
  title,
  sentence: 'Something went wrong on our side. Close this window and try again in a minute.',
}
const providerTrouble = {
  title,
  sentence: 'The other service did not answer as it should. Close this window and try again in a few minutes.',
}
const notPermitted = {
  title,
  sentence:
    'Your account in the app may not connect accounts here. Please ask whoever looks after the app to allow it.',
}
const signInAgain = {
  title: 'Please sign in again',
  sentence: 'We could not tell who you are. Close this window, sign in to the app again, and connect from there.',
}
const tooMany = {
  title: 'One moment, please',
  sentence: 'There were too many attempts in a short time. Close this window, wait a minute, and try again.',
}
const asRefused = {
  title,
  sentence: 'The other service ended the connection. Close this window and try again from the app.',
}

const words = {
  access_denied: {
    title: 'Nothing was connected',
    sentence: 'Access was not allowed, so nothing was stored. If that was a slip, close this window and try again.',
  },
  invalid_grant: {
    title,
    sentence: 'Your consent came too late or was used before. Close this window and connect again from the app.',
  },
  invalid_state: {
    title: 'This link has ended',
    sentence:
      'The connection was finished before, or it took too long. Close this window and look in the app; if the account is not there, connect it again.',
  },
  invalid_ticket: {
    title: 'This link has ended',
    sentence: 'It opens once, and only for a short time. Close this window and start again from the app.',
  },
  principal_mismatch: {
    title,
    sentence:
      'Somebody else started this connection. If you want to connect an account of yours, close this window and start in the app yourself.',
  },
  browser_mismatch: {
    title,
    sentence:
      'This connection was started in another browser. Go on there, or close this window and start again here, from the app.',
  },
  account_changed: {
    title,
    sentence:
      'You signed in with another account than the one connected before. Close this window, try again, and choose the earlier account.',
  },
  not_a_navigation: {
    title,
    sentence: 'This page has to open in a window of its own. Close it and press the button in the app again.',
  },
  missing_right: notPermitted,
  space_forbidden: notPermitted,
  unauthorized: signInAgain,
  token_expired: signInAgain,
  rate_limited: tooMany,
  too_many_pending: tooMany,
  provider_error: providerTrouble,
  provider_timeout: providerTrouble,
  provider_unavailable: providerTrouble,
  internal_error: ourFault,
  database_unavailable: ourFault,
  keys_unavailable: ourFault,
  starting: ourFault,
  prefetch_refused: ourFault,
  invalid_request: badSetUp,
  repeated_parameter: badSetUp,
  bad_request: badSetUp,
  uri_too_long: badSetUp,
  redirect_uri_not_registered: badSetUp,
  origin_not_allowed: badSetUp,
  scope_not_allowed: badSetUp,
  form_post_not_expected: badSetUp,
  tenant_mismatch: badSetUp,
  ticket_mismatch: badSetUp,
  provider_unknown: badSetUp,
  provider_not_configured: badSetUp,
  connector_id_taken: badSetUp,
} as const satisfies Partial<Record<ProblemCode | 'invalid_request', Words>>
