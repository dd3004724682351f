/** The windows around this page: the one that opened it, and the one that a provider's pages are shown in. */
import { connectSessionId } from './calls.js'

/** @import { Outcome, PageView } from './page-types.ts' */

const channel = new BroadcastChannel(`connector-oauth connect ${connectSessionId}`)
const heardWithinMs = 400

/** Whether the page that opened this one can still be reached. */
export const hasOpener = () => window.opener !== null && window.opener !== window

/**
 * Tells the page that opened this one, if it is of the origin that the session names; any other hears nothing. The
 * completion code is of use only with the starter's own bearer token.
 *
 * @param {PageView} page
 * @param {Outcome} outcome
 */
export function tellOpener(page, outcome) {
  if (page.origin === null || !hasOpener()) return false
  window.opener.postMessage(
    { source: 'connector-oauth', connect_session_id: connectSessionId, ...outcome },
    page.origin,
  )
  return true
}

/**
 * The landing page, with what became of the connection.
 *
 * @param {string} landingUri
 * @param {Outcome} outcome
 */
export function landingAddress(landingUri, outcome) {
  const told = new URLSearchParams({ connect_session_id: connectSessionId })
  for (const [name, value] of Object.entries(outcome)) if (value !== undefined) told.set(name, value)
  return `${landingUri}#${told.toString()}`
}

/**
 * Listens for outcomes from windows that this page opened; those are of this page's own origin.
 *
 * @param {(outcome: Outcome) => boolean} take
 */
export function onOutcome(take) {
  channel.addEventListener('message', ({ data }) => {
    if (data?.kind === 'outcome' && take(data.outcome))
      channel.postMessage({ kind: 'heard', of: data.outcome.session_id })
  })
}

/**
 * Hands an outcome to the page that waits for it; answers whether one took it.
 *
 * @param {Outcome} outcome
 * @returns {Promise<boolean>}
 */
export function handOver(outcome) {
  return new Promise((resolve) => {
    /** @param {boolean} isHeard */
    const end = (isHeard) => {
      clearTimeout(timer)
      channel.removeEventListener('message', listen)
      resolve(isHeard)
    }
    /** @param {MessageEvent} event */
    const listen = ({ data }) => {
      if (data?.kind === 'heard' && data.of === outcome.session_id) end(true)
    }
    const timer = setTimeout(() => end(false), heardWithinMs)
    channel.addEventListener('message', listen)
    channel.postMessage({ kind: 'outcome', outcome })
  })
}

/** Opens an empty window inside the click; it is sent on once the address is known. */
export function openWindow() {
  const opened = window.open('about:blank', '', 'popup,width=520,height=720')
  // Some blockers hand out a window that is closed.
  return opened === null || opened.closed ? undefined : opened
}
