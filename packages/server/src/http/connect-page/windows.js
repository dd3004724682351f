/** The windows around this page: the one that opened it, and the one that a provider's pages are shown in. */
import { connectSessionId } from './calls.js'

const channel = new BroadcastChannel(`connector-oauth connect ${connectSessionId}`)
const heardWithinMs = 400

/** Whether the page that opened this one can still be reached. */
export const hasOpener = () => window.opener !== null && window.opener !== window

/**
 * Tells the page that opened this one, if it is of the origin that the session names; any other hears nothing. The
 * completion code is of use only with the starter's own bearer token.
 */
export function tellOpener(page, outcome) {
  if (page.origin === null || !hasOpener()) return false
  window.opener.postMessage(
    { source: 'connector-oauth', connect_session_id: connectSessionId, ...outcome },
    page.origin,
  )
  return true
}

/** The landing page, with what became of the connection. */
export function landingAddress(page, outcome) {
  const told = { connect_session_id: connectSessionId, ...outcome }
  const given = Object.entries(told).filter(([, value]) => value !== undefined && value !== null)
  return `${page.redirect_uri}#${new URLSearchParams(given).toString()}`
}

/** Listens for outcomes from windows that this page opened; those are of this page's own origin. */
export function onOutcome(take) {
  channel.addEventListener('message', ({ data }) => {
    if (data?.kind === 'outcome' && take(data.outcome))
      channel.postMessage({ kind: 'heard', of: data.outcome.session_id })
  })
}

/** Hands an outcome to the page that waits for it; answers whether one took it. */
export function handOver(outcome) {
  return new Promise((resolve) => {
    const end = (isHeard) => {
      clearTimeout(timer)
      channel.removeEventListener('message', listen)
      resolve(isHeard)
    }
    const listen = ({ data }) => data?.kind === 'heard' && data.of === outcome.session_id && end(true)
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
