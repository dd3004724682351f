import type { Session } from './api.ts'
import { ConnectError } from './connect-error.ts'
import { asOutcome, listen, type Outcome } from './relay.ts'
import { finish, startSession, statusOf, type Connected, type ConnectRequest } from './request.ts'

export interface PopupRequest extends ConnectRequest {
  /**
   * Milliseconds after which a window that looks closed counts as closed, while this page has the focus; default 3000.
   * A provider's page may make an open window look closed, but then the user is in that window and not here.
   */
  readonly closedGraceMs?: number
  readonly windowFeatures?: string
}

const pollEveryMs = 1_000
const defaultGraceMs = 3_000
const defaultFeatures = 'popup,width=520,height=720'

/**
 * Connects an account through a popup. Call it directly inside a click: the window opens at once, before anything is
 * asked of the service, and navigates later, since browsers block windows that nobody clicked for.
 *
 * Resolves when the connector exists. Rejects with `ConnectError`. Nothing is completed by looking at the status: only
 * the message of the closing page, or of your landing page, carries what completes.
 */
export async function connect(request: PopupRequest): Promise<Connected> {
  const popup = window.open('about:blank', '', request.windowFeatures ?? defaultFeatures)
  if (popup === null) throw new ConnectError('blocked', 'The browser blocked the window; allow popups for this page.')
  try {
    request.signal?.throwIfAborted()
    const session = await startSession(request)
    const outcome = untilOutcome(request, session, popup)
    popup.location.replace(session.authorize_url)
    return await finish(request, session.session_id, await outcome)
  } catch (error) {
    popup.close()
    if (request.signal?.aborted === true) throw new ConnectError('aborted', 'The connection was given up.')
    throw error
  }
}

/** The first of: the closing page's message, the landing page's, a status that is final, a window that stays closed. */
function untilOutcome(request: PopupRequest, session: Session, popup: Window): Promise<Outcome> {
  const serviceOrigin = new URL(session.authorize_url).origin
  return new Promise((resolve, reject) => {
    let closedForMs = 0
    const stop = (): void => {
      stopListening()
      removeEventListener('message', onMessage)
      clearInterval(polling)
      request.signal?.removeEventListener('abort', onAbort)
    }
    const settle = (outcome: Outcome): void => {
      stop()
      resolve(outcome)
    }
    const fail = (error: Error): void => {
      stop()
      reject(error)
    }
    const onMessage = (event: MessageEvent<unknown>): void => {
      if (event.origin !== serviceOrigin || !isOf(event.data, session.session_id)) return
      const outcome = asOutcome(event.data)
      if (outcome !== undefined) settle(outcome)
    }
    const onAbort = (): void => fail(new ConnectError('aborted', 'The connection was given up.'))
    const look = async (): Promise<void> => {
      // A look that fails says nothing; the next one may succeed, and a message may come at any time.
      const status = await statusOf(request, session.session_id).catch(() => undefined)
      if (status?.status === 'connected') return settle({ status: 'connected' })
      if (status?.status === 'failed' || status?.status === 'expired') return settle({ status: 'failed' })
      closedForMs = popup.closed && document.hasFocus() ? closedForMs + pollEveryMs : 0
      if (closedForMs > (request.closedGraceMs ?? defaultGraceMs) && status?.status !== 'awaiting_completion') {
        fail(new ConnectError('closed', 'The window was closed before the account was connected.'))
      }
    }
    const stopListening = listen(session.session_id, settle)
    const polling = setInterval(() => void look(), pollEveryMs)
    addEventListener('message', onMessage)
    request.signal?.addEventListener('abort', onAbort, { once: true })
  })
}

function isOf(data: unknown, sessionId: string): boolean {
  if (typeof data !== 'object' || data === null) return false
  return Reflect.get(data, 'source') === 'connector-oauth' && Reflect.get(data, 'session_id') === sessionId
}
