/** Browser tests run in the system's Chromium; where it is missing and may be installed, it is. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/**
 * The path of a Chromium that is there, or is now.
 *
 * @throws when there is none and it cannot be installed: a browser test that is skipped would prove nothing
 */
export function ensureChromium(): string {
  const given = process.env['CHROMIUM_PATH']
  if (given !== undefined && given !== '') {
    if (existsSync(given)) return given
    throw new Error(`CHROMIUM_PATH names ${given}, which is not there.`)
  }
  const installed = findChromium()
  if (installed !== undefined) return installed
  const prefix = rightToInstall()
  if (prefix === undefined) throw new Error(missing)
  process.stderr.write('Installing Chromium with apt-get …\n')
  apt(prefix, ['update'])
  // Without fonts pages have no text, and layouts collapse.
  apt(prefix, ['install', '-y', '--no-install-recommends', 'chromium', 'fonts-dejavu-core', 'fonts-noto-core'])
  const now = findChromium()
  if (now === undefined) throw new Error(missing)
  return now
}

const missing =
  'Browser tests need Chromium. Install it (Debian: `apt-get install chromium fonts-dejavu-core`), ' +
  'or set CHROMIUM_PATH to the program.'

function findChromium(): string | undefined {
  return ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((file) => existsSync(file))
}

/** What to put before a command that needs root; `undefined` when this user may not run one. */
function rightToInstall(): readonly string[] | undefined {
  if (!existsSync('/usr/bin/apt-get')) return undefined
  if (process.getuid?.() === 0) return []
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined
}

function apt(prefix: readonly string[], parameters: readonly string[]): void {
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
  if (done.status !== 0) throw new Error(`${done.stdout ?? ''}${done.stderr ?? ''}\n${missing}`)
}

if (import.meta.main) console.log(ensureChromium())
