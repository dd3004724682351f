import { readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'

/** Writes a generated page; called with `--check` it compares instead, and sets the exit code to 1 when the page differs. */
export function finishPage(file: string, text: string): void {
  if (!process.argv.includes('--check')) return writeFileSync(file, text)
  if (readFileSync(file, 'utf8') === text) return
  console.error(`${relative(process.cwd(), file)} is not what its script writes; run the script without --check`)
  process.exitCode = 1
}
