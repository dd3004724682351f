import { spawn } from 'node:child_process'

const checks: Readonly<Record<string, readonly [program: string, ...parameters: string[]]>> = {
  types: ['tsc', '-p', '.'],
  'types in browsers': ['tsc', '-p', 'packages/browser'],
  'types of the Connect page': ['tsc', '-p', 'packages/server/src/http/connect-page'],
  'types of the dashboard': ['tsc', '-p', 'packages/dashboard'],
  lint: ['oxlint', '--type-aware', '--deny-warnings'],
  format: ['oxfmt', '--check', '.'],
  'unused code': ['knip', '--no-progress'],
}

/** Runs every check, even after one has failed, so that one run shows all there is to put right; returns their names. */
export async function runChecks(stage: (name: string, work: () => Promise<void>) => Promise<void>): Promise<string[]> {
  const failed: string[] = []
  for (const [name, [program, ...parameters]] of Object.entries(checks)) {
    await stage(name, async () => {
      const { code, output } = await run(program, parameters)
      if (code === 0) return
      failed.push(name)
      console.log(output.trimEnd())
    })
  }
  return failed
}

/** The programs lie in `node_modules/.bin`, which the bootstrap put on the PATH. */
async function run(program: string, parameters: readonly string[]): Promise<{ code: number; output: string }> {
  const child = spawn(program, parameters, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
    // On Windows they are .cmd files.
    shell: process.platform === 'win32',
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 1, output: `${program} could not be run: ${error.message}` }))
    child.once('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
