/**
 * The command line: one binary, one file a command. Exit codes: 0 done, 1 failed, 2 wrong usage, 78 bad settings.
 */
import { stripVTControlCharacters } from 'node:util'
import { renderUsage, runCommand, type CommandDef, type SubCommandsDef } from 'citty'
import { exitSettings, isTerminal, SettingsError } from '../config.ts'
import { version } from '../core/version.ts'
import { DataFolderError } from '../store/data-folder.ts'

const exitFailed = 1
const exitUsage = 2

// Commands load what they need when they run: `--help` should not wait for a server to be read.
const commands: SubCommandsDef = {
  serve: async () => (await import('./serve.ts')).serveCommand,
  migrate: async () => (await import('./migrate.ts')).migrateCommand,
  token: async () => (await import('./token.ts')).tokenCommand,
  'login-link': async () => (await import('./login-link.ts')).loginLinkCommand,
  keys: async () => (await import('./keys.ts')).keysCommand,
  audit: async () => (await import('./audit.ts')).auditCommand,
  tenant: async () => (await import('./tenant.ts')).tenantCommand,
  import: async () => (await import('./import.ts')).importCommand,
  providers: async () => (await import('./providers.ts')).providersCommand,
}

const program: CommandDef = {
  meta: { name: 'connector-oauth', version, description: 'Connects users’ accounts and keeps their tokens' },
  subCommands: commands,
}

/** Runs one command and answers the exit code. */
export async function runCli(args: readonly string[]): Promise<number> {
  const path = await resolvePath(args)
  if (path === undefined) {
    console.error(`${await usage(program)}\n\nUnknown command: ${args.join(' ')}`)
    return exitUsage
  }
  if (args.includes('--help') || args.includes('-h') || path.isGroup) {
    console.log(await usage(path.command, path.parent))
    return args.includes('--help') || args.includes('-h') ? 0 : exitUsage
  }
  const unknown = await unknownOptions(path.command, args)
  if (unknown.length > 0) {
    console.error(`${await usage(path.command, path.parent)}\n\nUnknown option: ${unknown.join(', ')}`)
    return exitUsage
  }
  try {
    const { result } = await runCommand(path.command, { rawArgs: args.slice(path.depth) })
    return typeof result === 'number' ? result : 0
  } catch (error) {
    return report(error, path.command, path.parent)
  }
}

/** The help of a command; without colours where they would be read as text. */
async function usage(command: CommandDef, parent?: CommandDef): Promise<string> {
  const text = await renderUsage(command, command === parent ? undefined : parent)
  return isTerminal() ? text : stripVTControlCharacters(text)
}

async function report(error: unknown, command: CommandDef, parent: CommandDef): Promise<number> {
  if (error instanceof SettingsError) {
    for (const problem of error.problems) console.error(problem)
    return exitSettings
  }
  if (error instanceof DataFolderError) {
    console.error(error.message)
    return exitSettings
  }
  if (error instanceof Error && error.name === 'CLIError') {
    console.error(`${await usage(command, parent)}\n\n${error.message}`)
    return exitUsage
  }
  console.error(error instanceof Error ? error.message : String(error))
  return exitFailed
}

interface CommandPath {
  readonly command: CommandDef
  readonly parent: CommandDef
  readonly depth: number
  readonly isGroup: boolean
}

async function resolvePath(args: readonly string[]): Promise<CommandPath | undefined> {
  let command = program
  let parent = program
  let depth = 0
  for (const word of args) {
    if (word.startsWith('-')) break
    const next = (await subCommandsOf(command))[word]
    if (next === undefined) {
      if (await hasSubCommands(command)) return undefined
      break
    }
    parent = command
    command = typeof next === 'function' ? await next() : await next
    depth += 1
  }
  return { command, parent, depth, isGroup: await hasSubCommands(command) }
}

async function subCommandsOf(command: CommandDef): Promise<SubCommandsDef> {
  const { subCommands } = command
  return (typeof subCommands === 'function' ? await subCommands() : await subCommands) ?? {}
}

async function hasSubCommands(command: CommandDef): Promise<boolean> {
  return Object.keys(await subCommandsOf(command)).length > 0
}

/** A misspelt option would otherwise be dropped, and the default taken in silence. */
async function unknownOptions(command: CommandDef, args: readonly string[]): Promise<readonly string[]> {
  const defined = typeof command.args === 'function' ? await command.args() : await command.args
  const names = Object.keys(defined ?? {})
  return args
    .filter((word) => word.startsWith('--'))
    .map((word) => word.slice(2).split('=', 1)[0] ?? '')
    .filter((name) => name !== '' && !names.includes(name))
    .map((name) => `--${name}`)
}
