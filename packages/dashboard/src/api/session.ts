/** Who is signed in. The bearer token lives in this tab's session storage and nowhere else. */
import { useSyncExternalStore } from 'react'

export interface Session {
  readonly token: string
  /** RFC 3339; absent where the issuer did not say. */
  readonly expiresAt: string | undefined
}

const key = 'connector-oauth.session'
const farewellKey = 'connector-oauth.farewell'
const changed = new EventTarget()

export function readSession(): Session | undefined {
  const text = sessionStorage.getItem(key)
  if (text === null) return undefined
  try {
    const { token, expiresAt } = JSON.parse(text) as Partial<Session>
    return typeof token === 'string' ? { token, expiresAt } : undefined
  } catch {
    return undefined
  }
}

export function signIn(session: Session): void {
  sessionStorage.setItem(key, JSON.stringify(session))
  sessionStorage.removeItem(farewellKey)
  changed.dispatchEvent(new Event('change'))
}

/** Forgets the token. `farewell` is what the sign-in page then says. */
export function signOut(farewell?: string): void {
  sessionStorage.clear()
  if (farewell !== undefined) sessionStorage.setItem(farewellKey, farewell)
  changed.dispatchEvent(new Event('change'))
}

/** Why somebody is signed out, or could not be signed in. */
export function readFarewell(): string | undefined {
  return sessionStorage.getItem(farewellKey) ?? undefined
}

export function useIsSignedIn(): boolean {
  return useSyncExternalStore(
    (notify) => {
      changed.addEventListener('change', notify)
      return () => changed.removeEventListener('change', notify)
    },
    () => readSession() !== undefined,
  )
}
