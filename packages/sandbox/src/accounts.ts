import { createHash } from 'node:crypto'

/** What the sandbox says of a user: made up from the user name, and the same on every machine. */
export interface SandboxAccount {
  readonly subject: string
  readonly login: string
  readonly name: string
  readonly email: string
}

const LOGIN_PATTERN = /^[\p{L}\p{N}][\p{L}\p{N}\p{M} ._@+'-]{0,63}$/u

/** The user name as it counts, or `undefined` when it is empty, longer than 64 characters or holds odd characters. */
export function readLogin(text: string): string | undefined {
  const login = text.normalize('NFC').trim().toLowerCase()
  return LOGIN_PATTERN.test(login) ? login : undefined
}

/** The account of a user name, which must come from {@link readLogin}. */
export function accountOf(login: string): SandboxAccount {
  const [local = login] = login.split('@')
  const words = local.split(/[ ._+-]+/).filter((word) => word !== '')
  const mailbox = local.replaceAll(/[^a-z0-9._+-]+/g, '-').replaceAll(/^-+|-+$/g, '') || 'user'
  return {
    subject: `user-${createHash('sha256').update(login).digest('hex').slice(0, 16)}`,
    login,
    name: words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(' ') || login,
    // `.example` belongs to nobody (RFC 2606 §2), so that no mail can ever reach a person.
    email: `${mailbox}@sandbox.example`,
  }
}
