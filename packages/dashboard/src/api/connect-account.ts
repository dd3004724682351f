/** Connecting an account by popup, as any page of a platform does it. */
import { call, CallProblem } from './call.ts'

export interface Attempt {
  readonly providerSlug: string
  readonly spaceId: string
  readonly collectionId: string
  /** Reconnects this one in place. */
  readonly connectorId?: string
  /** What the provider's addresses need of this connection. */
  readonly urlVariables?: Readonly<Record<string, string>>
  /** Lets another account take the connector's place. */
  readonly allowAccountChange?: true
}

interface Outcome {
  readonly status: string
  readonly completion_code?: string
}

const pollEveryMs = 1_000
/** A provider's page may cut itself off from its opener and look closed. */
const graceMs = 3_000

/** Opened empty inside the click, so that no browser takes it for a pop-up nobody asked for; it navigates later. */
export function openPopup(): Window | undefined {
  return window.open('about:blank', '', 'popup,width=520,height=680') ?? undefined
}

export const blockedSentence = 'The browser blocked the window. Allow pop-ups for this page and try again.'

/**
 * Resolves with the connector's id. `onClosed` is told when the window seems closed: only a hint, the outcome still
 * counts when it comes.
 */
export async function connectAccount(
  popup: Window,
  attempt: Attempt,
  hooks: { readonly signal: AbortSignal; onClosed(): void },
): Promise<string> {
  const slug = encodeURIComponent(attempt.providerSlug)
  try {
    const { data: session } = await call<{ data: { session_id: string; authorize_url: string } }>(
      'POST',
      `/v1/connectors/oauth/${slug}/sessions`,
      {
        body: {
          space_id: attempt.spaceId,
          collection_id: attempt.collectionId,
          origin: location.origin,
          ...(attempt.connectorId === undefined ? {} : { connector_id: attempt.connectorId }),
          ...(attempt.urlVariables === undefined ? {} : { url_variables: attempt.urlVariables }),
          ...(attempt.allowAccountChange === undefined ? {} : { allow_account_change: attempt.allowAccountChange }),
        },
      },
    )
    const outcome = waitForOutcome(session.session_id, popup, hooks)
    popup.location.href = session.authorize_url
    const { status, completion_code: code } = await outcome
    if (status === 'awaiting_completion') {
      const body = { session_id: session.session_id, completion_code: code }
      return (await call<{ connector_id: string }>('POST', `/v1/connectors/oauth/${slug}/complete`, { body }))
        .connector_id
    }
    const { data: end } = await readStatus(session.session_id)
    if (end.connector_id !== null && end.status === 'connected') return end.connector_id
    throw explained(end.status, end.error_code)
  } catch (error) {
    if (!hooks.signal.aborted) popup.close()
    throw error
  }
}

interface StatusBody {
  readonly data: { readonly status: string; readonly error_code: string | null; readonly connector_id: string | null }
}

function readStatus(sessionId: string): Promise<StatusBody> {
  return call<StatusBody>('GET', `/v1/connectors/oauth/sessions/${sessionId}`)
}

function explained(status: string, code: string | null): CallProblem {
  const sentence =
    status === 'expired'
      ? 'It took too long. Nothing was connected; try again.'
      : code === 'access_denied'
        ? 'Access was not allowed at the provider. Nothing was connected.'
        : 'The account was not connected. Try again.'
  return new CallProblem({ message: sentence, status: 0, code: code ?? status, correlationId: undefined, fields: [] })
}

/** The closing page's message, or what the status says of an end. */
function waitForOutcome(
  sessionId: string,
  popup: Window,
  hooks: { readonly signal: AbortSignal; onClosed(): void },
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const channel = new BroadcastChannel(`connector-oauth ${sessionId}`)
    const listening = new AbortController()
    let closedAt: number | undefined
    let told = false
    const settle = (outcome: Outcome): void => {
      stop()
      resolve(outcome)
    }
    const onMessage = (event: MessageEvent<unknown>): void => {
      if (event.origin !== location.origin) return
      const data = event.data as { source?: string; session_id?: string } & Outcome
      if (data?.source === 'connector-oauth' && data.session_id === sessionId) settle(data)
    }
    const poll = async (): Promise<void> => {
      const answer = await readStatus(sessionId).catch(() => undefined)
      const status = answer?.data.status ?? ''
      if (['connected', 'failed', 'expired'].includes(status)) return settle({ status })
      if (!popup.closed || told) return
      closedAt ??= Date.now()
      if (Date.now() - closedAt < graceMs) return
      told = true
      hooks.onClosed()
    }
    const polling = setInterval(() => void poll(), pollEveryMs)
    const stop = (): void => {
      channel.close()
      listening.abort()
      clearInterval(polling)
    }
    const { signal } = listening
    channel.addEventListener('message', onMessage, { signal })
    window.addEventListener('message', onMessage, { signal })
    hooks.signal.addEventListener(
      'abort',
      () => {
        stop()
        reject(new Error('another attempt began'))
      },
      { signal },
    )
  })
}
