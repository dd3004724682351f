/**
 * Adds to `package-lock.json` the optional packages for other platforms that `npm install` left out.
 *
 * npm forgets one when the registry at hand does not have it (a mirror may lag behind), and `npm ci` then refuses the
 * whole lock file, on every platform. Run this after `npm install`; npm fills in the checksums where it can.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

interface LockEntry {
  readonly version?: string
  readonly dev?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const file = path.resolve(import.meta.dirname, '../package-lock.json')
const platform = /(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|x64|ia32|ppc64|riscv64|s390x)/

// The shape of npm's lock file, version 3.
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockEntry> }
const added: Record<string, LockEntry> = {}
for (const [place, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const [, os, cpu] = platform.exec(name) ?? []
    const hoisted = `node_modules/${name}`
    if (os === undefined || cpu === undefined || !/^\d/.test(version)) continue
    if (hoisted in lock.packages || `${place}/${hoisted}` in lock.packages) continue
    added[hoisted] = {
      version,
      cpu: [cpu],
      ...(entry.dev === true ? { dev: true } : {}),
      ...(name.endsWith('-musl') ? { libc: ['musl'] } : {}),
      optional: true,
      os: [os],
    } as LockEntry
  }
}
lock.packages = Object.fromEntries(
  Object.entries({ ...lock.packages, ...added }).toSorted(([a], [b]) => a.localeCompare(b, 'en')),
)
writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`)
console.log(`Added ${Object.keys(added).length} packages to package-lock.json`)
