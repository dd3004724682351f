import type { ServiceAccess } from './api.ts'
import { begin, type ConnectRequest } from './begin.ts'
import { ConnectError, SessionEnded } from './connect-error.ts'
import { openEars } from './ears.ts'
import { forget, recallWindow, remember, type Remembered } from './memory.ts'
import type { Connected } from './settle.ts'
import { untilConnected } from './wait.ts'
import { watchWindow } from './window-watch.ts'

export interface PopupRequest extends ConnectRequest {
  /** Gives the connection up: the window is closed, and `connect` rejects as `aborted`. */
  readonly signal?: AbortSignal | undefined
  /**
   * Milliseconds for which a window must look closed, while this page has the focus, before it counts as closed;
   * default 3000. `Infinity`: never.
   */
  readonly closedGraceMs?: number | undefined
  /** What `window.open` is told; default a window of 520 by 720. */
  readonly windowFeatures?: string | undefined
}

const defaultGraceMs = 3_000
const defaultFeatures = 'popup,width=520,height=720'
/** An hour and more, which nothing but a link outlives. */
const looksAtMost = 1_000

/**
 * Connects an account through a window of its own. Call it directly inside a click: the window opens at once, before
 * anything is asked of the service, and navigates later, since browsers block windows that nobody clicked for.
 *
 * Resolves when the connector exists. Rejects with `ConnectError`; where the service's page in the window tells the user
 * why, that stays until the user closes it.
 */
export async function connect(request: PopupRequest): Promise<Connected> {
  if (request.signal?.aborted === true) throw aborted()
  const popup = window.open('about:blank', '', request.windowFeatures ?? defaultFeatures)
  // Some blockers hand out a window that is closed.
  if (popup === null || popup.closed) {
    throw new ConnectError(
      'blocked',
      'The browser blocked the window; allow pop-ups for this page, or connect by redirect.',
    )
  }
  try {
    return await orAborted(request.signal, connectIn(popup, request))
  } catch (error) {
    // What went wrong is to be read there, and the page has a button that closes it.
    if (!(error instanceof SessionEnded)) popup.close()
    throw error
  }
}

async function connectIn(popup: Window, request: PopupRequest): Promise<Connected> {
  const begun = await begin(request, 'popup')
  // Given up meanwhile: nothing may be sent to a window that is gone, nor be waited for.
  if (request.signal?.aborted === true) throw aborted()
  const hasLandingPage = request.landingPage !== undefined
  const ears = openEars(begun, new URL(begun.url).origin, popup)
  const watch = watchWindow(popup, request.closedGraceMs ?? defaultGraceMs)
  const stop = (): void => {
    ears.stop()
    watch.stop()
    forget(begun.id)
  }
  request.signal?.addEventListener('abort', stop, { once: true })
  try {
    remember(begun, 'popup', hasLandingPage)
    popup.location.replace(begun.url)
    const waiting = { next: ears.next, isGone: watch.isGone, hasLandingPage, looksAtMost }
    const connected = await untilConnected(request, begun, waiting)
    // The Connect page may have something left to say, and closes itself.
    if (!begun.isHosted) popup.close()
    return connected
  } finally {
    request.signal?.removeEventListener('abort', stop)
    stop()
  }
}

/**
 * Goes on waiting for the window that this tab had opened before the page was loaded anew; `undefined` when there is
 * none. Call it when the page loads. Settles as `connect` does, but of windows that are closed it notices only the Connect
 * page where scopes are missing, which says so itself.
 */
export function resumeConnect(
  access: ServiceAccess & { readonly signal?: AbortSignal | undefined },
): Promise<Connected> | undefined {
  if (typeof sessionStorage === 'undefined') return undefined
  const waited = recallWindow()
  return waited && orAborted(access.signal, resume(access, waited))
}

async function resume(
  access: ServiceAccess & { readonly signal?: AbortSignal | undefined },
  waited: Remembered,
): Promise<Connected> {
  if (access.signal?.aborted === true) throw aborted()
  const ears = openEars(waited, waited.serviceOrigin, undefined)
  access.signal?.addEventListener('abort', ears.stop, { once: true })
  try {
    const { hasLandingPage } = waited
    return await untilConnected(access, waited, { next: ears.next, isGone: () => false, hasLandingPage, looksAtMost })
  } finally {
    ears.stop()
    forget(waited.id)
  }
}

/** Rejects as soon as the signal says so, whatever is under way. */
function orAborted<Value>(signal: AbortSignal | undefined, work: Promise<Value>): Promise<Value> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(aborted())
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

const aborted = (): ConnectError => new ConnectError('aborted', 'The connection was given up.')
