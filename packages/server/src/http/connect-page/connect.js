/**
 * The hosted Connect page: from choosing a provider to the end of the connection. It shows what the service says of its
 * session, starts attempts when the user clicks, and completes nothing.
 */
import {
  CallError,
  cancelPage,
  connectSessionId,
  hasToken,
  isOurs,
  keepToken,
  readPage,
  startAttempt,
  waitFor,
  waitingFor,
} from './calls.js'
import { button, config, stays, words } from './dom.js'
import { fieldsOf, showFields } from './fields.js'
import * as ends from './outcomes.js'
import { showPicker } from './picker.js'
import { showReview } from './review.js'
import { handOver, hasOpener, landingAddress, onOutcome, openWindow, tellOpener } from './windows.js'

/** @import { Act, Attempt, Outcome, PageView, Provider, Values } from './page-types.ts' */

const lookEveryMs = 1_000
/** A parked code waits two minutes for its starter. */
const finishesWithinMs = 130_000

/**
 * What the service said last of the session. Absent until it has spoken, which `fail` and `onOutcome` look at; everything
 * else comes after.
 *
 * @type {PageView}
 */
let page
/** @type {Values} */
let given = {}
/** @type {{ timer?: ReturnType<typeof setTimeout> } | undefined} */
let watching
let isConfirmed = false
let isGoingOn = false

/** @param {string | undefined} slug */
const providerOf = (slug) => page.providers.find((provider) => provider.provider_slug === slug)
const chosen = () => providerOf(page.attempt?.provider_slug)

/**
 * An outcome in the fragment: where the provider's answer has brought this window back to.
 *
 * @returns {Outcome | undefined}
 */
function takeFragment() {
  const fragment = location.hash.slice(1)
  // Neither the token nor a completion code stays in the address or the history.
  if (fragment !== '') history.replaceState(null, '', location.pathname + location.search)
  if (fragment.startsWith('cst_')) keepToken(fragment)
  const told = new URLSearchParams(fragment)
  /** @param {string} name */
  const said = (name) => told.get(name) ?? undefined
  const [sessionId, status] = [said('session_id'), said('status')]
  if (sessionId === undefined || status === undefined) return undefined
  return { session_id: sessionId, status, provider: said('provider'), completion_code: said('completion_code') }
}

async function begin() {
  const outcome = takeFragment()
  if (outcome !== undefined && (await handOver(outcome))) {
    window.close()
    return ends.showEnd('connected', closeButton())
  }
  if (!hasToken()) return ends.showFailure('connect_token_invalid', { leave: closeButton() })
  if (!(await look())) return
  if (page.connect_session_id !== connectSessionId)
    return ends.showFailure('connect_token_invalid', { leave: closeButton() })
  if (outcome !== undefined && isOurs(outcome.session_id)) return take(outcome)
  resume()
}

/** Reads the session anew; shows why when that fails. */
async function look() {
  try {
    page = await readPage()
    return true
  } catch (error) {
    fail(error, begin)
    return false
  }
}

/**
 * @param {unknown} error
 * @param {Act} again
 */
function fail(error, again) {
  // An error of ours is shown, and told whoever looks at the console.
  if (!(error instanceof CallError)) console.error(error)
  const { code, reference } = error instanceof CallError ? error : new CallError('internal_error')
  ends.showFailure(code, { reference, again, leave: page === undefined ? closeButton() : leaveButton(code) })
}

/** Where a page that is opened, or loaded anew, goes on. */
function resume() {
  switch (page.status) {
    case 'connected':
      if (!partial()) ends.showAlready(leaveButton())
      return
    case 'failed':
      return showEnded(page.error_code ?? 'cancelled')
    case 'expired':
      return showEnded('connect_session_expired')
    case 'awaiting_completion':
      if (page.attempt !== null && isOurs(page.attempt.session_id)) return finishing()
      break
    default:
  }
  const provider = chosen()
  if (provider && page.attempt?.status === 'started' && page.attempt.session_id === waitingFor())
    return elsewhere(provider)
  if (page.mode === 'link' && !isConfirmed) return ends.showConfirm(page, { yes: confirm })
  choose()
}

/**
 * A session that is over.
 *
 * @param {string} code
 */
function showEnded(code) {
  ends.showFailure(code, { reference: page.attempt?.session_id, leave: leaveButton(code) })
}

function confirm() {
  isConfirmed = true
  choose()
}

function choose() {
  // Nobody could be told: consent would be given for nothing.
  if (page.origin !== null && page.redirect_uri === null && !hasOpener()) {
    return ends.showEnd('unreachable', closeButton())
  }
  const [only, another] = page.providers
  if (only !== undefined && another === undefined) return prepare(only)
  showPicker(page, { choose: prepare, cancel: cancelButton })
}

/** @param {Provider} provider */
function prepare(provider, isRefused = false) {
  if (!provider.setup_complete) {
    const way = page.providers.length > 1 ? button(words.back, choose) : leaveButton('provider_not_configured')
    return ends.showFailure('provider_not_configured', { leave: way })
  }
  const back = page.providers.length > 1 ? button(words.back, choose, 'quiet') : undefined
  if (fieldsOf(provider).length === 0) return review(provider, { back, cancel: cancelButton })
  showFields(provider, given, {
    back,
    isRefused,
    cancel: cancelButton,
    next(values) {
      given = values
      review(provider, { back: button(words.back, () => prepare(provider), 'quiet'), cancel: cancelButton })
    },
  })
}

/**
 * @param {Provider} provider
 * @param {{ back: Node | undefined, cancel: () => Node }} buttons
 */
function review(provider, buttons) {
  showReview(page, provider, { ...buttons, go: () => go(provider) })
}

/**
 * Starts an attempt. Where only a message can tell the app, the provider gets a window of its own: its pages may cut a
 * window off from its opener for good, and this one must stay within reach.
 *
 * @param {Provider} provider
 * @param {'elsewhere' | 'here'} place
 * @returns {Promise<void>}
 */
async function go(provider, place = page.redirect_uri === null && hasOpener() ? 'elsewhere' : 'here') {
  const opened = place === 'elsewhere' ? openWindow() : undefined
  if (place === 'elsewhere' && opened === undefined) {
    return ends.showBlocked({ again: () => go(provider), here: () => go(provider, 'here') })
  }
  if (opened === undefined) ends.showLeaving(provider)
  try {
    const values = fieldsOf(provider).length > 0 ? given : undefined
    const attempt = await startAttempt(provider.provider_slug, values)
    if (opened === undefined) {
      isGoingOn = true
      return location.assign(attempt.authorize_url)
    }
    waitFor(attempt.session_id)
    opened.location.replace(attempt.authorize_url)
    elsewhere(provider, opened)
  } catch (error) {
    opened?.close()
    // The service judges what was filled in; of all that is sent, that alone comes from the person.
    const isRefused = error instanceof CallError && error.code === 'invalid_request'
    if (isRefused && fieldsOf(provider).length > 0) return prepare(provider, true)
    fail(error, () => prepare(provider))
  }
}

/**
 * The provider's pages are in another window; its outcome arrives over the channel, or the service tells.
 *
 * @param {Provider} provider
 * @param {Window} [opened]
 */
function elsewhere(provider, opened) {
  ends.showElsewhere(provider, { again: () => go(provider), cancel: cancelButton() })
  let closedLooks = 0
  watch(async () => {
    if (isSettled()) return settle()
    closedLooks = opened?.closed === true && page.attempt?.status === 'started' ? closedLooks + 1 : 0
    // A window that a provider's pages cut off looks closed and is not, so this page goes on listening.
    if (closedLooks === 3)
      ends.showEnd(
        'closed',
        button(words.try_again, () => prepare(provider), 'main'),
        cancelButton(),
      )
  })
}

function finishing() {
  ends.showFinishing()
  const endsAt = performance.now() + finishesWithinMs
  watch(async () => {
    if (isSettled()) return settle()
    if (page.attempt?.status === 'expired' || performance.now() > endsAt) {
      stopWatching()
      ends.showEnd('unfinished', button(words.try_again, choose, 'main'), leaveButton())
    }
  })
}

/**
 * Tells the app of an outcome that came back, and shows it.
 *
 * @param {Outcome} outcome
 */
async function take(outcome) {
  waitFor(undefined)
  if (outcome.status === 'failed') return settle()
  const told = tellOpener(page, outcome)
  if (!told && outcome.status !== 'connected') {
    return ends.showEnd('unreachable', closeButton())
  }
  finishing()
}

/** Whether there is an end to show. What was connected before it was asked again for the rest is not the end of that. */
function isSettled() {
  if (page.status === 'connected' && page.missing_scopes.length === 0) return true
  return page.attempt?.status === 'connected' || page.attempt?.status === 'failed'
}

/** Shows how the newest attempt has ended, as the service says. */
async function settle() {
  stopWatching()
  if (!(await look())) return
  const { attempt } = page
  if (page.status === 'connected' && attempt?.status !== 'failed') {
    if (partial()) return
    ends.showSuccess(chosen(), leaveButton())
    if (hasOpener()) setTimeout(() => window.close(), config.readWithinMs)
    return
  }
  const code = attempt?.error_code ?? 'internal_error'
  // Asked again, the user has said no again.
  if (page.status === 'connected' && ends.kindOf(code) === 'denied' && partial()) return
  const again = page.attempts_left > 0 && page.status !== 'failed' ? () => restart(attempt) : undefined
  ends.showFailure(code, { reference: attempt?.session_id, again, leave: leaveButton(code) })
}

/** @param {Attempt | null} attempt */
function restart(attempt) {
  const provider = providerOf(attempt?.provider_slug)
  if (provider === undefined) return choose()
  prepare(provider)
}

/** Where less was granted than was asked for, offers to ask again; answers whether that was so. */
function partial() {
  const provider = chosen()
  if (provider === undefined || page.missing_scopes.length === 0) return false
  ends.showPartial(page, provider, {
    ask: () => go(provider),
    leave: leaveButton(undefined, words['partial.leave']),
  })
  return true
}

/** @param {Act} judge */
function watch(judge) {
  stopWatching()
  /** @type {NonNullable<typeof watching>} */
  const mine = {}
  watching = mine
  const turn = async () => {
    if (watching !== mine) return
    try {
      page = await readPage()
      if (watching === mine) await judge()
    } catch (error) {
      // A look that did not arrive says nothing; a refusal does.
      const isLost = error instanceof CallError && error.code === 'network'
      if (watching === mine && !isLost) return fail(error, begin)
    }
    if (watching === mine) mine.timer = setTimeout(() => void turn(), lookEveryMs)
  }
  mine.timer = setTimeout(() => void turn(), lookEveryMs)
}

function stopWatching() {
  clearTimeout(watching?.timer)
  watching = undefined
}

/**
 * @param {'connected' | 'failed'} status
 * @param {string} [code]
 * @returns {Outcome}
 */
const outcomeOf = (status, code) => ({
  session_id: page.attempt?.session_id ?? connectSessionId,
  provider: page.attempt?.provider_slug,
  status,
  error_code: code,
})

/** Gives the connection up. A mailed link stays good, so that a slip costs nothing. */
function cancelButton() {
  return button(words.cancel, cancel, 'quiet')
}

async function cancel() {
  stopWatching()
  if (page.status === 'connected' && partial()) return
  if (page.mode === 'link') return ends.showLater()
  await cancelPage().catch(() => undefined)
  if (page.redirect_uri !== null && page.mode === 'redirect') {
    return location.replace(landingAddress(page.redirect_uri, outcomeOf('failed', 'cancelled')))
  }
  leave('cancelled')
  ends.showFailure('cancelled', { leave: closeButton() })
}

/**
 * The way out of an end: back to the app, or the window closes.
 *
 * @param {string} [code]
 * @param {string} [text]
 */
function leaveButton(code, text) {
  const landing = page.redirect_uri
  if (page.mode === 'popup' || landing === null) return button(text ?? words.close, () => leave(code))
  const outcome = code === undefined ? outcomeOf('connected') : outcomeOf('failed', code)
  return button(text ?? words.back_to_app, () => location.assign(landingAddress(landing, outcome)))
}

/** @param {string} [code] */
function leave(code) {
  // The app waits for what the user makes of missing scopes; what is connected stays so.
  if (page.status === 'connected') tellOpener(page, outcomeOf('connected'))
  else if (code !== undefined) {
    if (code !== 'cancelled') void cancelPage().catch(() => undefined)
    tellOpener(page, outcomeOf('failed', code))
  }
  close()
}

const closeButton = () => button(words.close, close)

function close() {
  window.close()
  setTimeout(() => stays(), 300)
}

onOutcome((outcome) => {
  if (page === undefined || !isOurs(outcome.session_id)) return false
  void take(outcome)
  return true
})
// An app that was loaded anew cannot see that this window is closed, and waits for what the user makes of missing scopes. What is
// told at `pagehide` Chromium tells nobody any more.
addEventListener('beforeunload', () => {
  if (page?.status === 'connected' && !isGoingOn) tellOpener(page, outcomeOf('connected'))
})
// Back from the provider by the back button, the page may come out of the browser's memory as it was left.
addEventListener('pageshow', (event) => {
  isGoingOn = false
  if (event.persisted) void begin()
})
void begin()
