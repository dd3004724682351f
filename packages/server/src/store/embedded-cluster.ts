import { execFile } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { chmod, chown, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { Secret } from '../core/secret.ts'
import { draftOf, ensureFolder, ensureSecretFile } from './data-folder.ts'
import { canReach, childEnvironment, serverAccount, type ServerAccount } from './embedded-account.ts'
import { ensureRuntime, type PostgresRuntime } from './embedded-runtime.ts'

/** An initialised cluster: files on disk, and what is needed to start and enter its server. */
export interface Cluster {
  readonly folder: string
  readonly runtime: PostgresRuntime
  readonly account: ServerAccount
  readonly superuserPassword: Secret
  readonly rolePassword: Secret
}

const run = promisify(execFile)

/**
 * Finds the cluster that belongs to `dataDir`, and creates it at the first start.
 *
 * Its passwords come from one file, mode 0600, in `dataDir`.
 */
export async function ensureCluster(
  dataDir: string,
  options: { readonly durable: boolean; readonly log: (message: string) => void },
): Promise<Cluster> {
  const inside = path.join(dataDir, 'postgres-18')
  await ensureFolder(inside)
  const secret = new Secret(await ensureSecretFile(path.join(inside, 'secret')))
  const account = await serverAccount(path.join(inside, 'cluster'))
  const home = await reachableHome(inside, secret, account, options.log)
  const cluster: Cluster = {
    folder: path.join(home, 'cluster'),
    runtime: await ensureRuntime(home),
    account,
    superuserPassword: derived(secret, 'superuser'),
    rolePassword: derived(secret, 'connector_oauth'),
  }
  await removeOldDrafts(home)
  if (!(await isFolder(cluster.folder))) {
    options.log(`Creating a PostgreSQL database in ${cluster.folder}`)
    await initialise(cluster, options.durable)
  }
  return cluster
}

/**
 * Where the cluster lies or will lie: the data folder, or a folder below /var/lib when the server's account cannot enter it: a clone below /root is the
 * usual case. Opening somebody's home to another user is not ours to do. The folder's name comes from the secret in the
 * data folder, so that the data follows a data folder that is moved, and an emptied one starts anew.
 */
async function reachableHome(
  inside: string,
  secret: Secret,
  account: ServerAccount,
  log: (message: string) => void,
): Promise<string> {
  if (await isFolder(path.join(inside, 'cluster'))) return inside
  const home = path.join('/var/lib/connector-oauth', derived(secret, 'folder').reveal().slice(0, 16))
  if (!(await isFolder(path.join(home, 'cluster'))) && canReach(account, inside)) return inside
  await ensureFolder(home)
  log(`PostgreSQL's system user cannot enter ${inside}, so the database lies in ${home}`)
  return home
}

function derived(secret: Secret, purpose: string): Secret {
  return new Secret(createHmac('sha256', secret.reveal()).update(purpose).digest('hex'))
}

async function isFolder(folder: string): Promise<boolean> {
  return stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

/** The cluster gets its name last: a start that is killed half-way leaves a draft, never half a cluster. */
async function initialise(cluster: Cluster, durable: boolean): Promise<void> {
  const draft = draftOf(cluster.folder)
  const passwordFile = `${draft}.password`
  try {
    await mkdir(draft, { mode: 0o700 })
    await writeFile(passwordFile, cluster.superuserPassword.reveal(), { mode: 0o600, flag: 'wx' })
    if (cluster.account !== undefined) {
      await chown(draft, cluster.account.uid, cluster.account.gid)
      await chown(passwordFile, cluster.account.uid, cluster.account.gid)
    }
    await runInitdb(cluster, draft, passwordFile, durable)
    // Others have no business here, whatever the umask was.
    await chmod(draft, 0o700)
    await rename(draft, cluster.folder).catch(async (error: unknown) => {
      // Another start was faster; nothing has been written to this one yet.
      if (!(await isFolder(cluster.folder))) throw error
    })
  } finally {
    await rm(passwordFile, { force: true })
    await rm(draft, { recursive: true, force: true })
  }
}

async function runInitdb(cluster: Cluster, folder: string, passwordFile: string, durable: boolean): Promise<void> {
  const parameters = [
    `--pgdata=${folder}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The locale built into PostgreSQL, so that sorting does not change with the machine's libraries.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    ...(durable ? [] : ['--no-sync']),
  ]
  try {
    await run(cluster.runtime.initdb, parameters, {
      ...cluster.account,
      cwd: path.dirname(folder),
      ...(process.platform === 'win32' ? {} : { env: childEnvironment }),
      timeout: 120_000,
    })
  } catch (error) {
    throw new Error(`initdb failed: ${reasonOf(error)}`, { cause: error })
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && error.code === 'ENOENT') {
    return 'this system cannot run it (it needs glibc); set DATABASE_URL to use a PostgreSQL of your own'
  }
  return 'stderr' in error && typeof error.stderr === 'string' && error.stderr !== ''
    ? error.stderr.trim()
    : error.message
}

/** Drafts of starts that were killed; a young one may belong to a start that is still at work. */
async function removeOldDrafts(home: string): Promise<void> {
  const tenMinutesMs = 600_000
  for (const name of await readdir(home)) {
    const file = path.join(home, name)
    if (!/^\.(cluster|runtime-.+)\.[0-9a-f]{12}(\.password)?$/.test(name)) continue
    const age = await stat(file).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    )
    if (age > tenMinutesMs) await rm(file, { recursive: true, force: true })
  }
}
