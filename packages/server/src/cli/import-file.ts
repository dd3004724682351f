import { access, constants, stat } from 'node:fs/promises'
import { composeFlows } from '../compose.ts'
import { isTerminal } from '../config.ts'
import { collectionId, connectorId, providerSlug, spaceId, tenantId } from '../core/ids.ts'
import { Secret } from '../core/secret.ts'
import type { Context } from '../domain/context.ts'
import { importAccount, judgeAccount, type AccountOutcome, type AccountRequest } from '../domain/import-account.ts'
import type { Principal } from '../domain/principal.ts'
import { settle } from '../settle.ts'
import { readLines, type ImportedAccount } from './import-lines.ts'
import { ownProviderOf } from './own-provider.ts'
import { UsageError } from './usage-error.ts'

interface Wanted {
  readonly file: string
  readonly format: 'csv' | 'jsonl'
  readonly tenant: string | undefined
  readonly subject: string | undefined
  readonly isDryRun: boolean
}

/** More than the database's connections would only wait. */
const atOnce = 8
const shownProblems = 100
const showEvery = 1_000

/**
 * `import`. Answers the exit code: 1 when the file has problems, in which case nothing was done, or when accounts were refused.
 *
 * The whole file is read before anything is done, and read again to do it.
 */
export async function importFile(wanted: Wanted): Promise<number> {
  if (!(await isReadableFile(wanted.file))) throw new UsageError(`${wanted.file} cannot be read; is its name right?`)
  const problems = await showProblems(wanted)
  if (problems > 0) {
    console.error(`Nothing was imported: mend ${problems === 1 ? 'this line' : `these ${problems} lines`} first`)
    return 1
  }
  const settlement = await settle((message) => console.error(message))
  const { settled } = settlement
  const flows = composeFlows({ ...settled, ownProvider: ownProviderOf(settlement) })
  try {
    const issuer = settled.config.auth.issuer ?? ''
    return await importLines(flows.context, issuer, wanted)
  } finally {
    await flows.close()
    await settlement.stopDatabase()
  }
}

async function isReadableFile(file: string): Promise<boolean> {
  return access(file, constants.R_OK).then(
    async () => (await stat(file)).isFile(),
    () => false,
  )
}

async function showProblems(wanted: Wanted): Promise<number> {
  let count = 0
  // The one thing that grows with the file: an id and a number a line.
  const lineOf = new Map<string, number>()
  for await (const line of readLines(wanted.file, wanted.format)) {
    const problems =
      line.kind === 'problem'
        ? line.problems
        : [...missing(line.account, wanted), ...repeated(line.line, line.account, lineOf, wanted)]
    if (problems.length === 0) continue
    count += 1
    if (count <= shownProblems) for (const problem of problems) console.error(`line ${line.line}: ${problem}`)
    if (count === shownProblems + 1) console.error('… and more')
  }
  return count
}

function missing(account: ImportedAccount, wanted: Wanted): string[] {
  return [
    ...((account.tenant_id ?? wanted.tenant) ? [] : ['tenant_id: field required, or --tenant']),
    ...((account.principal_id ?? wanted.subject) ? [] : ['principal_id: field required, or --sub']),
  ]
}

/** The second of two accounts under one id would be taken for the first, and its tokens lost. */
function repeated(line: number, account: ImportedAccount, lineOf: Map<string, number>, wanted: Wanted): string[] {
  const key = `${account.tenant_id ?? wanted.tenant ?? ''} ${account.connector_id}`
  const earlier = lineOf.get(key)
  if (earlier !== undefined) return [`connector_id: stands in line ${earlier} already`]
  lineOf.set(key, line)
  return []
}

async function importLines(context: Context, issuer: string, wanted: Wanted): Promise<number> {
  const work = wanted.isDryRun ? judgeAccount : importAccount
  const counts = { lines: 0, new: 0, present: 0, refused: 0 }
  const one = async (line: number, account: ImportedAccount): Promise<void> => {
    const outcome = await work(context, principalOf(account, issuer, wanted), requestOf(account))
    counts.lines += 1
    counts[outcome.kind] += 1
    if (outcome.kind === 'refused') showRefusal(line, account, outcome)
    if (counts.lines % showEvery === 0) showProgress(counts)
  }
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  for await (const line of readLines(wanted.file, wanted.format)) {
    if (line.kind === 'problem') throw new Error('The file was changed while it was read; run this again')
    const task = one(line.line, line.account)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => running.delete(task))
    running.add(task)
    if (running.size >= atOnce) await Promise.race(running)
    if (failures.length > 0) break
  }
  await Promise.all(running)
  if (failures.length > 0) {
    console.error('Stopped; what was imported stays. Run this again: it goes on with what is not there yet')
    throw failures[0]
  }
  if (isTerminal()) process.stdout.write('\r\u001b[K')
  console.log(JSON.stringify({ step: wanted.isDryRun ? 'would import' : 'imported', ...counts }))
  return counts.refused > 0 ? 1 : 0
}

/** The operator acts for the owner of the account. */
function principalOf(account: ImportedAccount, issuer: string, wanted: Wanted): Principal {
  return {
    tenantId: tenantId(account.tenant_id ?? wanted.tenant ?? ''),
    issuer,
    subject: account.principal_id ?? wanted.subject ?? '',
    rights: new Set(['connectors:manage']),
    spaces: undefined,
    collections: undefined,
    expiresAt: new Date(8.64e15),
  }
}

function requestOf(account: ImportedAccount): AccountRequest {
  const { refresh_token: refreshToken, expires_at: expiresAt } = account
  return {
    spaceId: spaceId(account.space_id),
    collectionId: collectionId(account.collection_id),
    providerSlug: providerSlug(account.provider_slug),
    connectorId: connectorId(account.connector_id),
    credential: {
      accessToken: new Secret(account.access_token),
      refreshToken: refreshToken === undefined ? undefined : new Secret(refreshToken),
      expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt),
      scopes: account.scopes,
    },
    scopeConfig: undefined,
    urlVariables: account.url_variables ?? {},
    displayName: account.display_name,
  }
}

function showRefusal(
  line: number,
  account: ImportedAccount,
  { code, detail }: Extract<AccountOutcome, { kind: 'refused' }>,
): void {
  const { connector_id: id, provider_slug: slug } = account
  if (isTerminal()) console.error(`line ${line}: ${slug}: ${detail}`)
  else console.error(JSON.stringify({ step: 'refused', line, connector_id: id, provider_slug: slug, code, detail }))
}

function showProgress(counts: Readonly<Record<string, number>>): void {
  if (!isTerminal()) return console.log(JSON.stringify({ step: 'progress', ...counts }))
  const words = Object.entries(counts).map(([name, value]) => `${name} ${value}`)
  process.stdout.write(`\r\u001b[K${words.join(', ')}`)
}
