import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Secret } from './core/secret.ts'
import { codeOf, ensureFolder, ensureSecretFile, usingDataFolder } from './store/data-folder.ts'

/** What development needs and nobody set: made once, kept in `DATA_DIR`, readable by this user alone. */
export interface DevelopmentSecrets {
  readonly jwtSecret: Secret
  readonly encryptionKey: Uint8Array
  readonly sandboxClientSecret: Secret
  /** The sandbox keeps its port, since its issuer is part of every sandbox connector's context. */
  readonly sandboxPort: number | undefined
}

/** Reads the secrets, or makes them. Throws `DataFolderError` when the folder cannot be used. */
export async function developmentSecrets(dataDir: string): Promise<DevelopmentSecrets> {
  return usingDataFolder(dataDir, async () => {
    await ensureFolder(dataDir)
    return {
      jwtSecret: new Secret(await ensureSecretFile(join(dataDir, 'jwt-secret'))),
      encryptionKey: Buffer.from(await ensureSecretFile(join(dataDir, 'encryption-key')), 'base64url'),
      sandboxClientSecret: new Secret(await ensureSecretFile(join(dataDir, 'sandbox-client-secret'))),
      sandboxPort: await readPort(dataDir),
    }
  })
}

/** Remembers the sandbox's port for the next start. */
export async function rememberSandboxPort(dataDir: string, port: number): Promise<void> {
  await writeFile(join(dataDir, 'sandbox-port'), `${port}\n`)
}

async function readPort(dataDir: string): Promise<number | undefined> {
  try {
    const port = Number(await readFile(join(dataDir, 'sandbox-port'), 'utf8'))
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
