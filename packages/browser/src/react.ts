/** Connect accounts from a React component. React 18 and newer. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { connect, ConnectError, type Connected, type PopupRequest } from './index.ts'

/** What is left to say at the click, given what the component said before. */
type Rest<Given> = Omit<PopupRequest, keyof Given> & Partial<PopupRequest>

export interface UseConnect<Given> {
  /**
   * Opens the window; call it directly inside a click. Resolves to the connector, or to `undefined` when it did not come
   * about; it never rejects. A second call gives the first one up.
   */
  readonly connect: (
    ...rest: object extends Rest<Given> ? [more?: Rest<Given>] : [more: Rest<Given>]
  ) => Promise<Connected | undefined>
  readonly status: 'idle' | 'connecting' | 'connected' | 'failed'
  /** Why the last attempt failed. */
  readonly error: ConnectError | undefined
  /** What the last attempt connected. */
  readonly connector: Connected | undefined
  /** Gives up what is under way and goes back to `idle`. */
  readonly reset: () => void
}

type State = Pick<UseConnect<object>, 'status' | 'error' | 'connector'>

const idle: State = { status: 'idle', error: undefined, connector: undefined }

/**
 * `connect` with its state. What every click has in common is given here, the rest at the click:
 * `const { connect } = useConnect({ baseUrl, spaceId, collectionId, getAuthorization })`, then `connect({ provider })`.
 * An attempt is given up, and its window closed, when the component goes.
 */
export function useConnect<const Given extends Partial<PopupRequest>>(given: Given): UseConnect<Given> {
  const [state, setState] = useState(idle)
  const latest = useRef(given)
  const attempt = useRef<AbortController>(undefined)

  useEffect(() => {
    latest.current = given
  })
  const giveUp = useCallback(() => {
    const current = attempt.current
    attempt.current = undefined
    current?.abort()
  }, [])
  useEffect(() => giveUp, [giveUp])

  const start = useCallback(
    async (more?: Partial<PopupRequest>): Promise<Connected | undefined> => {
      giveUp()
      const controller = new AbortController()
      attempt.current = controller
      const show = (next: State): void => {
        if (attempt.current === controller) setState(next)
      }
      show({ ...idle, status: 'connecting' })
      // The types of `connect` above see to it that nothing is missing.
      const request = { ...latest.current, ...more } as PopupRequest
      const abort = (): void => controller.abort()
      request.signal?.addEventListener('abort', abort, { once: true })
      try {
        const connector = await connect({ ...request, signal: controller.signal })
        show({ status: 'connected', error: undefined, connector })
        return connector
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error
        show({ status: 'failed', error, connector: undefined })
        return undefined
      } finally {
        request.signal?.removeEventListener('abort', abort)
      }
    },
    [giveUp],
  )
  const reset = useCallback(() => {
    giveUp()
    setState(idle)
  }, [giveUp])

  return { ...state, connect: start, reset }
}
