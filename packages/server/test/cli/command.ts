import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { compileCache } from '../support/compile-cache.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the real command line in a folder of its own, without the settings of whoever runs the tests. */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  workingFolder?: string,
): Promise<CommandResult> {
  const folder = await temporaryFolder()
  try {
    const child = spawn(process.execPath, [main, ...args], {
      cwd: workingFolder ?? folder,
      env: { ...compileCache, PATH: process.env['PATH'], HOME: folder, DATA_DIR: path.join(folder, 'data'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    })
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.once('close', resolve)),
    ])
    return { code, stdout, stderr }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export function temporaryFolder(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), 'connector-oauth-cli-'))
}
