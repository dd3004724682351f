import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Secret } from './core/secret.ts'
import { usingDataFolder } from './store/data-folder.ts'

/** What development needs and nobody set: made once, kept in `DATA_DIR`, readable by this user alone. */
export interface DevelopmentSecrets {
  readonly jwtSecret: Secret
  readonly encryptionKey: Uint8Array
  readonly sandboxClientSecret: Secret
  /** The sandbox keeps its port, since its issuer is part of every sandbox connector's context. */
  readonly sandboxPort: number | undefined
}

const fileName = 'development-secrets.json'

/** Reads the secrets, or makes them. Throws `DataFolderError` when the folder cannot be used. */
export async function developmentSecrets(dataDir: string): Promise<DevelopmentSecrets> {
  return usingDataFolder(dataDir, async () => {
    await mkdir(dataDir, { recursive: true })
    const stored = await readStored(dataDir)
    const complete = {
      jwt_secret: stored['jwt_secret'] ?? randomBytes(32).toString('base64url'),
      encryption_key: stored['encryption_key'] ?? randomBytes(32).toString('base64'),
      sandbox_client_secret: stored['sandbox_client_secret'] ?? randomBytes(32).toString('base64url'),
      ...(stored['sandbox_port'] === undefined ? {} : { sandbox_port: stored['sandbox_port'] }),
    }
    await write(dataDir, complete)
    return {
      jwtSecret: new Secret(complete.jwt_secret),
      encryptionKey: Buffer.from(complete.encryption_key, 'base64'),
      sandboxClientSecret: new Secret(complete.sandbox_client_secret),
      sandboxPort: complete.sandbox_port === undefined ? undefined : Number(complete.sandbox_port),
    }
  })
}

/** Remembers the sandbox's port for the next start. */
export async function rememberSandboxPort(dataDir: string, port: number): Promise<void> {
  await write(dataDir, { ...(await readStored(dataDir)), sandbox_port: String(port) })
}

async function readStored(dataDir: string): Promise<Record<string, string>> {
  try {
    // Written below, and by nobody else.
    return JSON.parse(await readFile(join(dataDir, fileName), 'utf8')) as Record<string, string>
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw error
  }
}

/** Renamed into place, so that a kill in between leaves the old file or the new one, never half of it. */
async function write(dataDir: string, content: Readonly<Record<string, string>>): Promise<void> {
  const draft = join(dataDir, `${fileName}.${process.pid}`)
  await writeFile(draft, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
  await rename(draft, join(dataDir, fileName))
}
