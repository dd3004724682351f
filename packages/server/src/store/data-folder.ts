import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import path from 'node:path'

/** The data folder cannot be used as it is; the message names DATA_DIR and says what to do. */
export class DataFolderError extends Error {
  constructor(folder: string, cause: unknown) {
    super(
      `DATA_DIR ${folder} cannot be used by ${userInfo().username} (${codeOf(cause) ?? String(cause)}); ` +
        'make it a folder that this user may read and write, or set DATABASE_URL to use a PostgreSQL of your own.',
    )
    this.name = 'DataFolderError'
  }
}

const folderTrouble = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'ENOENT',
  'EEXIST',
  'ENOSPC',
  'EDQUOT',
  'ENAMETOOLONG',
])

/** Runs `work`, turning what a bad folder makes of it into a {@link DataFolderError}. */
export async function usingDataFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (folderTrouble.has(codeOf(error) ?? '')) throw new DataFolderError(folder, error)
    throw error
  }
}

/**
 * Creates a folder, and those above it, that others may pass through but not list: the database server may be another
 * user. Folders that exist keep their modes, since they may be somebody's home.
 */
export async function ensureFolder(folder: string): Promise<void> {
  const above = path.dirname(folder)
  // One by one: where nothing can be created, as under /proc, Node's recursive `mkdir` tries without end.
  if (above !== folder && !existsSync(above)) await ensureFolder(above)
  try {
    await mkdir(folder)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' || !(await stat(folder)).isDirectory()) throw error
    return
  }
  // A mode given to `mkdir` would lose what the umask takes away.
  await chmod(folder, 0o711)
}

/**
 * Reads the secret in `file` or creates it (256 bits, mode 0600); processes that start together get the same one.
 *
 * `link` fails when the name is taken, and what it names is already complete, so that nobody reads half a secret.
 */
export async function ensureSecretFile(file: string): Promise<string> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  try {
    await writeFile(draft, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
    await link(draft, file).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error
    })
    return (await readFile(file, 'utf8')).trim()
  } finally {
    await rm(draft, { force: true })
  }
}

/** Puts new content into a secret's file (mode 0600) at once: no reader sees half of it. */
export async function replaceSecretFile(file: string, content: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  try {
    await writeFile(draft, content, { mode: 0o600, flag: 'wx', flush: true })
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
}

/** A folder of a name nobody else uses, beside `folder`, to be filled and then renamed to it. */
export function draftOf(folder: string): string {
  return path.join(path.dirname(folder), `.${path.basename(folder)}.${randomBytes(6).toString('hex')}`)
}

/** The `code` of a system error or an SQLSTATE, if `error` has one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
