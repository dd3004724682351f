import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { developmentKey, type Config } from './config.ts'
import { Secret } from './core/secret.ts'
import { codeOf, ensureFolder, ensureSecretFile, replaceSecretFile, usingDataFolder } from './store/data-folder.ts'

/** What development needs and nobody set: made once, kept in `DATA_DIR`, readable by this user alone. */
export interface DevelopmentSecrets {
  readonly jwtSecret: Secret
  /** The newest first. */
  readonly encryptionKeys: Config['encryptionKeys']
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
      encryptionKeys: readEncryptionKeys(await ensureSecretFile(encryptionKeyFile(dataDir))),
      sandboxClientSecret: new Secret(await ensureSecretFile(join(dataDir, 'sandbox-client-secret'))),
      sandboxPort: await readPort(dataDir),
    }
  })
}

/** Makes a new key and puts it first; the others stay, since they may wrap data keys still. */
export async function addDevelopmentKey(dataDir: string): Promise<void> {
  const file = encryptionKeyFile(dataDir)
  await usingDataFolder(dataDir, async () => {
    const known = (await readFile(file, 'utf8')).trim()
    const id = `development-${known.split('\n').length + 1}`
    await replaceSecretFile(file, `${id}:${randomBytes(32).toString('base64url')}\n${known}\n`)
  })
}

function encryptionKeyFile(dataDir: string): string {
  return join(dataDir, 'encryption-key')
}

/** A key a line, the first of all without an id. */
function readEncryptionKeys(text: string): Config['encryptionKeys'] {
  return text.split('\n').map((line) => {
    const [key = '', id] = line.split(':').toReversed()
    return developmentKey(Buffer.from(key, 'base64url'), id)
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
