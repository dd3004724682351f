import { createReadStream } from 'node:fs'
import { CsvError, parse } from 'csv-parse'
import { Type, type Static } from 'typebox'
import {
  closed,
  ConnectorId,
  ProviderSlug,
  Timestamp,
  UrlVariables,
  Uuid,
  visible,
} from '@connector-oauth/contract/common.ts'
import { InvalidFields } from '../domain/invalid-fields.ts'
import { requestValidator } from '../http/validate.ts'

/** One account of the file. `connector_id` makes a second run find what the first one did. */
export const ImportedAccount = Type.Object(
  {
    tenant_id: Type.Optional(visible(128)),
    principal_id: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    space_id: Uuid,
    collection_id: Uuid,
    provider_slug: ProviderSlug,
    connector_id: ConnectorId,
    access_token: visible(16_384),
    refresh_token: Type.Optional(visible(16_384)),
    expires_at: Type.Optional(Timestamp),
    scopes: Type.Optional(Type.Array(visible(256), { maxItems: 100 })),
    display_name: Type.Optional(Type.String({ maxLength: 200 })),
    url_variables: Type.Optional(UrlVariables),
  },
  closed,
)
export type ImportedAccount = Static<typeof ImportedAccount>

/** A line as it was read: the account, or all that is wrong with it. No problem repeats what stands in the file. */
export type Line =
  | { readonly kind: 'account'; readonly line: number; readonly account: ImportedAccount }
  | { readonly kind: 'problem'; readonly line: number; readonly problems: readonly string[] }

/** What one line may hold: two tokens of 16 KiB, and room for the rest. */
const maxLineBytes = 65_536
const columns: ReadonlySet<string> = new Set(Object.keys(ImportedAccount.properties))
const unreadable = `this is not readable; a line may have ${maxLineBytes} bytes`

/** Reads the file line by line, holding one at a time. */
export async function* readLines(file: string, format: 'csv' | 'jsonl'): AsyncGenerator<Line, void, undefined> {
  const validate = requestValidator({ body: ImportedAccount })
  for await (const { line, given } of format === 'csv' ? csvLines(file) : jsonLines(file)) {
    if (typeof given === 'string') {
      yield { kind: 'problem', line, problems: [given] }
      continue
    }
    try {
      const { body } = validate({ params: {}, query: {}, headers: {}, body: given, urlLength: 0 })
      yield { kind: 'account', line, account: body }
    } catch (error) {
      if (!(error instanceof InvalidFields)) throw error
      yield { kind: 'problem', line, problems: error.problems.map(({ loc, msg }) => `${shownField(loc[1])}: ${msg}`) }
    }
  }
}

/** A file without its line of names would have tokens for names. */
function shownField(name: string | number | undefined): string {
  return typeof name === 'string' && columns.has(name) ? name : 'a column that is not known'
}

/** What was read, or what is wrong with it. */
interface Given {
  readonly line: number
  readonly given: object | string
}

async function* jsonLines(file: string): AsyncGenerator<Given, void, undefined> {
  let line = 0
  for await (const text of textLines(file)) {
    line += 1
    if (text === undefined) yield { line, given: unreadable }
    else if (text.trim() !== '') yield { line, given: parsed(text) }
  }
}

function parsed(text: string): object | string {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : 'this is no JSON object'
  } catch {
    return 'this is not JSON'
  }
}

/** Lines of a text; `undefined` stands for one that is too long, of which no more than its beginning is held. */
async function* textLines(file: string): AsyncGenerator<string | undefined, void, undefined> {
  let rest = ''
  let isTooLong = false
  for await (const chunk of createReadStream(file, { encoding: 'utf8' })) {
    // The stream has an encoding, so its chunks are text.
    const pieces = (rest + String(chunk)).split('\n')
    rest = pieces.pop() ?? ''
    for (const piece of pieces) {
      yield isTooLong || Buffer.byteLength(piece) > maxLineBytes ? undefined : piece
      isTooLong = false
    }
    if (Buffer.byteLength(rest) > maxLineBytes) {
      rest = ''
      isTooLong = true
    }
  }
  if (rest !== '' || isTooLong) yield isTooLong ? undefined : rest
}

async function* csvLines(file: string): AsyncGenerator<Given, void, undefined> {
  const parser = parse({
    bom: true,
    columns: true,
    info: true,
    max_record_size: maxLineBytes,
    skip_empty_lines: true,
    trim: true,
  })
  const source = createReadStream(file)
  // A pipe passes on everything but errors.
  source.once('error', (error) => parser.destroy(error)).pipe(parser)
  let line = 1
  try {
    // With `info` each record comes with where it ends.
    for await (const { record, info } of parser as AsyncIterable<CsvRecord>) {
      line = info.lines
      yield { line, given: accountOf(record) }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    // Its message quotes the file. What follows cannot be told apart any more.
    yield { line: line + 1, given: `this is not readable as CSV (${error.code}); nothing after it was read` }
  }
}

interface CsvRecord {
  readonly record: Readonly<Record<string, string>>
  readonly info: { readonly lines: number }
}

/** An empty cell is an absent value; scopes are separated by spaces, and URL variables are a JSON object. */
function accountOf(record: CsvRecord['record']): object | string {
  const filled = Object.entries(record).filter(([, value]) => value !== '')
  const account: Record<string, unknown> = Object.fromEntries(filled)
  if (record['scopes']) account['scopes'] = record['scopes'].split(/\s+/)
  if (record['url_variables']) {
    const values = parsed(record['url_variables'])
    if (typeof values === 'string') return `url_variables: ${values}`
    account['url_variables'] = values
  }
  return account
}
