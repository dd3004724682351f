import { generateKeyPair, randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { Adapter } from 'oidc-provider'

/** Everything the sandbox remembers: keys, accounts, and what `oidc-provider` issues. */
export interface SandboxStore {
  readonly signingKey: Readonly<Record<string, unknown>>
  readonly cookieKey: string
  /** The user name behind a subject; `undefined` when nobody ever signed in as it. */
  loginOf(subject: string): string | undefined
  rememberLogin(subject: string, login: string): void
  adapterFor(model: string): Adapter
  /** Forgets every code, token and grant, as when all users removed the app; browser sessions stay. */
  revokeEverything(): void
  /** Forgets one grant with its codes and tokens. */
  revokeGrant(grantId: string): void
  /** Writes what changed since the last call; without a file it does nothing. Call it before a reply leaves. */
  flush(): void
}

interface StoredRecord {
  readonly payload: Record<string, unknown>
  /** Milliseconds since the epoch; absent for what never expires. */
  readonly expiresAt?: number
}

interface StoredState {
  readonly version: 1
  readonly signingKey: Record<string, unknown>
  readonly cookieKey: string
  readonly logins: Record<string, string>
  readonly records: Record<string, StoredRecord>
}

const GRANTED_MODELS = ['AccessToken', 'AuthorizationCode', 'RefreshToken', 'Grant']
const PRUNE_EVERY = 1000

/**
 * Opens the store, with the state of `file` when there is one.
 *
 * A file that cannot be read as state is set aside as `<file>.broken`: losing sandbox grants is better than
 * a service that no longer starts.
 */
export async function openStore(file: string | undefined): Promise<SandboxStore> {
  const saved = file === undefined ? undefined : readState(file)
  const signingKey = saved?.signingKey ?? (await newSigningKey())
  const cookieKey = saved?.cookieKey ?? randomBytes(32).toString('base64url')
  const logins = new Map(Object.entries(saved?.logins ?? {}))
  const records = new Map(Object.entries(saved?.records ?? {}))
  let dirty = saved === undefined
  let writes = 0

  const prune = () => {
    const now = Date.now()
    for (const [key, { expiresAt }] of records) if (expiresAt !== undefined && expiresAt <= now) records.delete(key)
  }
  const put = (key: string, record: StoredRecord) => {
    writes += 1
    if (writes % PRUNE_EVERY === 0) prune()
    records.set(key, record)
    dirty = true
  }
  const remove = (matches: (key: string, record: StoredRecord) => boolean) => {
    for (const [key, record] of records) if (matches(key, record)) records.delete(key)
    dirty = true
  }
  const live = (key: string) => {
    const record = records.get(key)
    return record?.expiresAt !== undefined && record.expiresAt <= Date.now() ? undefined : record?.payload
  }
  const findBy = (model: string, field: string, value: string) => {
    for (const [key, { payload }] of records)
      if (key.startsWith(`${model}:`) && payload[field] === value) return live(key)
    return undefined
  }

  return {
    signingKey,
    cookieKey,
    loginOf: (subject) => logins.get(subject),
    rememberLogin(subject, login) {
      if (logins.has(subject)) return
      logins.set(subject, login)
      dirty = true
    },
    // No method truly waits. The library looks a refresh token up and spends it in two steps; with a pause between them
    // two callers at once would both be served, which no provider that rotates does.
    adapterFor: (model) => ({
      async upsert(id, payload, expiresInSeconds) {
        put(`${model}:${id}`, {
          payload,
          ...(expiresInSeconds !== undefined && { expiresAt: Date.now() + expiresInSeconds * 1000 }),
        })
      },
      async find(id) {
        return live(`${model}:${id}`)
      },
      async findByUid(uid) {
        return findBy(model, 'uid', uid)
      },
      async findByUserCode(userCode) {
        return findBy(model, 'userCode', userCode)
      },
      async consume(id) {
        const record = records.get(`${model}:${id}`)
        if (record === undefined) return
        put(`${model}:${id}`, {
          ...record,
          payload: { ...record.payload, consumed: Math.floor(Date.now() / 1000) },
        })
      },
      async destroy(id) {
        remove((key) => key === `${model}:${id}`)
      },
      async revokeByGrantId(grantId) {
        remove((key, { payload }) => key.startsWith(`${model}:`) && payload['grantId'] === grantId)
      },
    }),
    revokeEverything() {
      remove((key) => GRANTED_MODELS.some((model) => key.startsWith(`${model}:`)))
    },
    revokeGrant(grantId) {
      remove((key, { payload }) => key === `Grant:${grantId}` || payload['grantId'] === grantId)
    },
    flush() {
      if (!dirty || file === undefined) return
      prune()
      writeState(file, {
        version: 1,
        signingKey,
        cookieKey,
        logins: Object.fromEntries(logins),
        records: Object.fromEntries(records),
      })
      dirty = false
    },
  }
}

async function newSigningKey(): Promise<Record<string, unknown>> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: randomBytes(8).toString('hex') }
}

function readState(file: string): StoredState | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  try {
    const state: unknown = JSON.parse(text)
    if (isState(state)) return state
  } catch {
    // Not JSON: set aside below, like JSON of another shape.
  }
  renameSync(file, `${file}.broken`)
  return undefined
}

function isState(value: unknown): value is StoredState {
  if (typeof value !== 'object' || value === null || !('version' in value) || value.version !== 1) return false
  const parts = ['signingKey', 'logins', 'records']
  const fields = new Map<string, unknown>(Object.entries(value))
  return (
    typeof fields.get('cookieKey') === 'string' &&
    parts.every((part) => typeof fields.get(part) === 'object' && fields.get(part) !== null)
  )
}

/** Written beside the target and renamed, so that a crash leaves the old state or the new one, never half of it. */
function writeState(file: string, state: StoredState): void {
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}.tmp`
  writeFileSync(draft, JSON.stringify(state), { mode: 0o600 })
  // `mode` only counts for a new file; a draft left by a crash could be wider.
  chmodSync(draft, 0o600)
  renameSync(draft, file)
}
