import { execFile, spawnSync } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { codeOf } from './data-folder.ts'

/** The system user a database server runs as; `undefined` stands for the one that runs this process. */
export type ServerAccount = { readonly uid: number; readonly gid: number } | undefined

const run = promisify(execFile)

/**
 * A fixed environment for child processes: the service's own holds secrets that a database server has no use for,
 * and `PG…` variables of the shell would change what its programs do.
 */
export const childEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
} as const

/**
 * Finds the account for the cluster in `clusterFolder`: its owner when it exists, else the user `postgres`.
 *
 * PostgreSQL refuses to run as root, since a hole in it would then be a hole in the machine. Where there is no such
 * user yet it is created, which changes the machine; only root gets here, and only without DATABASE_URL.
 */
export async function serverAccount(clusterFolder: string): Promise<ServerAccount> {
  if (process.getuid?.() !== 0) return undefined
  const owner = await ownerOf(clusterFolder)
  if (owner !== undefined && owner.uid !== 0) return owner
  return (await idsOfPostgres()) ?? (await createPostgresUser())
}

/** Whether the account may pass through every folder down to `folder`; asked of the system, which knows of ACLs. */
export function canReach(account: ServerAccount, folder: string): boolean {
  if (account === undefined) return true
  const shell = spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], {
    ...account,
    cwd: '/',
    env: childEnvironment,
    stdio: 'ignore',
  })
  return shell.status === 0
}

async function ownerOf(folder: string): Promise<ServerAccount> {
  try {
    return await stat(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function idsOfPostgres(): Promise<ServerAccount> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'postgres'], { env: childEnvironment })).stdout)),
    )
    return Number.isInteger(uid) && Number.isInteger(gid) ? { uid: Number(uid), gid: Number(gid) } : undefined
  } catch {
    return undefined
  }
}

/** Debian and Red Hat know `useradd`, busybox only `adduser`; the account gets no password and no shell. */
async function createPostgresUser(): Promise<ServerAccount> {
  const ways: readonly (readonly [string, readonly string[]])[] = [
    [
      'useradd',
      [
        '--system',
        '--user-group',
        '--no-create-home',
        '--home-dir',
        '/nonexistent',
        '--shell',
        '/bin/false',
        'postgres',
      ],
    ],
    ['adduser', ['-S', '-D', '-H', '-h', '/nonexistent', '-s', '/bin/false', 'postgres']],
  ]
  for (const [program, parameters] of ways) {
    // Whether it worked is asked of the system below: another start may have created the user at the same moment.
    await run(program, [...parameters], { env: childEnvironment }).catch(() => undefined)
    const ids = await idsOfPostgres()
    if (ids !== undefined) return ids
  }
  throw new Error(
    'PostgreSQL does not run as root and the system user "postgres" could not be created; ' +
      'start as a normal user, or set DATABASE_URL to use a PostgreSQL of your own.',
  )
}
