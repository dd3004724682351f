import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { rowTypes } from './row-types.ts'
import { schemaSql } from './schema-sql.ts'

/** A generated file and what it has to hold. */
export interface SchemaFile {
  readonly url: URL
  readonly text: string
}

/** What the generated files have to hold for the database at `databaseUrl`. */
export async function schemaFiles(databaseUrl: string): Promise<readonly SchemaFile[]> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return [
      { url: new URL('../schema.sql', import.meta.url), text: await schemaSql(client) },
      { url: new URL('../src/store/rows.ts', import.meta.url), text: await rowTypes(client) },
    ]
  } finally {
    await client.end()
  }
}

/** The paths of those files that hold something else, or are missing. */
export async function drifted(files: readonly SchemaFile[]): Promise<string[]> {
  const outcomes = await Promise.all(
    files.map(async ({ url, text }) => ((await readFile(url, 'utf8').catch(() => '')) === text ? [] : [url.pathname])),
  )
  return outcomes.flat()
}
