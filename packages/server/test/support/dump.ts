import pg from 'pg'

/** One place where a secret was found. */
export interface Finding {
  readonly where: string
  readonly encoding: string
  /** Which secret, by the name the caller gave it. */
  readonly secret: string
}

/** Everything a database holds, by table: each row as text, and each binary value raw and in Base64. */
export async function dumpDatabase(adminUrl: string): Promise<ReadonlyMap<string, string>> {
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name
       from pg_class c
       join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
         and n.nspname not like 'pg\\_%'
       order by 1`,
    )
    const dump = new Map<string, string>()
    for (const { name } of tables) dump.set(name, await dumpTable(client, name))
    return dump
  } finally {
    await client.end()
  }
}

async function dumpTable(client: pg.Client, name: string): Promise<string> {
  const { rows } = await client.query<Record<string, unknown>>(`select t.*, t::text as "whole row" from ${name} t`)
  const values = rows.flatMap((row) => Object.values(row))
  return values
    .flatMap((value) => {
      if (Buffer.isBuffer(value)) return [value.toString('latin1'), value.toString('hex'), value.toString('base64')]
      return [typeof value === 'string' ? value : JSON.stringify(value)]
    })
    .join('\n')
}

/**
 * Every secret that stands in a text, in the clear or under an encoding that anyone undoes: Base64 and base64url at
 * any offset, hex, URL and JSON escapes.
 */
export function findSecrets(
  texts: ReadonlyMap<string, string>,
  secrets: ReadonlyMap<string, string>,
): readonly Finding[] {
  const found: Finding[] = []
  for (const [secret, value] of secrets) {
    if (value.length < 8) throw new Error(`${secret} is too short to be looked for`)
    for (const [encoding, needle] of encodings(value)) {
      for (const [where, text] of texts) if (text.includes(needle)) found.push({ where, encoding, secret })
    }
  }
  return found
}

function encodings(value: string): readonly (readonly [string, string])[] {
  const bytes = Buffer.from(value, 'utf8')
  const hex = bytes.toString('hex')
  return [
    ['plain', value],
    ['reversed', [...value].toReversed().join('')],
    ['hex', hex],
    ['upper-case hex', hex.toUpperCase()],
    ['url', encodeURIComponent(value)],
    ['json', JSON.stringify(value).slice(1, -1)],
    ...[0, 1, 2].flatMap((offset) => {
      const base64 = base64At(bytes, offset)
      const base64url = base64.replaceAll('+', '-').replaceAll('/', '_')
      return [
        [`base64 at offset ${offset}`, base64],
        [`base64url at offset ${offset}`, base64url],
      ] as const
    }),
  ]
}

/** The characters that Base64 gives these bytes wherever they begin `offset` bytes into a group of three. */
function base64At(bytes: Buffer, offset: number): string {
  const lead = offset === 0 ? 0 : 3 - offset
  const inner = bytes.subarray(lead)
  return inner.subarray(0, inner.length - (inner.length % 3)).toString('base64')
}
