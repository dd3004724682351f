/** Browser tests run in the system's Chromium; where it is missing and may be installed, it is. */
import { existsSync } from 'node:fs'
import { aptInstall } from './apt.ts'

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
  process.stderr.write('Installing Chromium with apt-get …\n')
  // Without fonts pages have no text, and layouts collapse.
  aptInstall(['chromium', 'fonts-dejavu-core', 'fonts-noto-core'], missing)
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

if (import.meta.main) console.log(ensureChromium())
