/** A scope as the consent page explains it. */
export interface SandboxScope {
  readonly name: string
  readonly title: string
  readonly explanation: string
  /** The user may leave it out and allow the rest. */
  readonly optional: boolean
}

/** Every scope the sandbox knows; others are ignored, as RFC 6749 §3.3 allows. */
export const SCOPES: readonly SandboxScope[] = [
  { name: 'openid', title: 'Know who you are', explanation: 'Your user id in this sandbox', optional: false },
  { name: 'profile', title: 'See your profile', explanation: 'Your name and user name', optional: true },
  { name: 'email', title: 'See your e-mail address', explanation: 'A made-up address', optional: true },
  { name: 'notes.read', title: 'Read your notes', explanation: 'All notes in your sandbox account', optional: true },
  { name: 'notes.write', title: 'Add notes', explanation: 'New notes in your sandbox account', optional: true },
  {
    name: 'offline_access',
    title: 'Keep access while you are away',
    explanation: 'Until you or the app end it',
    optional: false,
  },
]

/** What a request without `scope` gets; some real providers fix the scopes with the registration. */
export const DEFAULT_SCOPE = 'openid profile email offline_access'
