/** The browser package is tested in Firefox as well; where it is missing and may be installed, it is. */
import { existsSync } from 'node:fs'
import { aptInstall } from './apt.ts'

/**
 * The path of a Firefox that is there, or is now.
 *
 * @throws when there is none and it cannot be installed: a browser test that is skipped would prove nothing
 */
export function ensureFirefox(): string {
  const given = process.env['FIREFOX_PATH']
  if (given !== undefined && given !== '') {
    if (existsSync(given)) return given
    throw new Error(`FIREFOX_PATH names ${given}, which is not there.`)
  }
  const installed = findFirefox()
  if (installed !== undefined) return installed
  process.stderr.write('Installing Firefox with apt-get …\n')
  aptInstall(['firefox-esr'], missing)
  const now = findFirefox()
  if (now === undefined) throw new Error(missing)
  return now
}

const missing =
  'Browser tests need Firefox. Install it (Debian: `apt-get install firefox-esr`), or set FIREFOX_PATH to the program.'

function findFirefox(): string | undefined {
  return ['/usr/bin/firefox-esr', '/usr/bin/firefox'].find((file) => existsSync(file))
}
