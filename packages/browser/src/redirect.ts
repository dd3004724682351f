import { begin, type ConnectRequest } from './begin.ts'
import { ConnectError } from './connect-error.ts'
import { forget, remember } from './memory.ts'

export interface RedirectRequest extends ConnectRequest {
  readonly landingPage: string
}

/**
 * Connects an account without any window: this tab goes to the provider and comes back to `landingPage`, which calls
 * `finishConnect`. For phones, desktop apps and in-app browsers, and where windows are blocked.
 *
 * Never resolves, since the page is left. Rejects with `ConnectError`: `blocked` inside a frame, where providers show
 * nothing, and `closed` when the user comes back to this page by the back button.
 */
export async function connectByRedirect(request: RedirectRequest): Promise<never> {
  if (window.top !== window)
    throw new ConnectError('blocked', 'A page in a frame cannot leave for the provider; use connect.')
  const begun = await begin(request, 'redirect')
  remember(begun, 'redirect', true)
  return new Promise((_resolve, reject) => {
    const onShow = ({ persisted }: PageTransitionEvent): void => {
      // The browser had kept this page as it was, and with it whoever waits for this promise.
      if (!persisted) return
      removeEventListener('pageshow', onShow)
      forget(begun.id)
      reject(new ConnectError('closed', 'The user came back before the account was connected.'))
    }
    addEventListener('pageshow', onShow)
    location.assign(begun.url)
  })
}
