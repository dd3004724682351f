/** Debian's packages, for the browsers that tests run in. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Installs packages; answers whether this user may. Throws, with `advice`, when it fails. */
export function aptInstall(packages: readonly string[], advice: string): boolean {
  const prefix = rightToInstall()
  if (prefix === undefined) return false
  apt(prefix, ['update'], advice)
  apt(prefix, ['install', '-y', '--no-install-recommends', ...packages], advice)
  return true
}

/** What to put before a command that needs root; `undefined` when this user may not run one. */
function rightToInstall(): readonly string[] | undefined {
  if (!existsSync('/usr/bin/apt-get')) return undefined
  if (process.getuid?.() === 0) return []
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined
}

function apt(prefix: readonly string[], parameters: readonly string[], advice: string): void {
  const [program, ...rest] = [
    ...prefix,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    // Another installation may be at work.
    '-o',
    'DPkg::Lock::Timeout=120',
    ...parameters,
  ]
  const done = spawnSync(program ?? 'env', rest, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`${done.stdout ?? ''}${done.stderr ?? ''}\n${advice}`)
}
