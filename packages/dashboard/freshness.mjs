/** Whether the built pages are those of the source as it stands. Without dependencies: it is asked at every start. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const folder = fileURLToPath(new URL('.', import.meta.url))
export const dist = path.join(folder, 'dist')
/** Holds the digest of the source that a build was made from. */
export const stampFile = 'source.sha256'

/** A digest of everything a build is made from, the versions of its tools included. */
export function sourceDigest() {
  const hash = createHash('sha256')
  const sources = readdirSync(path.join(folder, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
  const others = ['index.html', 'build.mjs', 'package.json'].map((name) => path.join(folder, name))
  for (const file of [...sources, ...others].toSorted()) {
    hash
      .update(`${path.relative(folder, file)}\0`)
      .update(readFileSync(file))
      .update('\0')
  }
  return hash.digest('hex')
}

export function isBuilt() {
  try {
    return readFileSync(path.join(dist, stampFile), 'utf8') === sourceDigest()
  } catch {
    return false
  }
}
