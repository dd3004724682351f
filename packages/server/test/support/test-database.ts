import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { migrate } from '../../src/store/migrate.ts'

/** A database of a test file's own, with the whole schema and no rows. */
export interface TestDatabase {
  /** Its owner: not a superuser, so that row-level security bites as it does in production. */
  readonly databaseUrl: string
  /** A superuser's way into the same database, to look past row-level security. */
  readonly adminUrl: string
  drop(): Promise<void>
}

/** Not the service's own role: on a server that also runs the service its password would change. */
const roleName = 'connector_oauth_test'

/** Clones the template that the test run made; some 30 ms. Call `drop` in `after`, once all connections are closed. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = variable('TEST_DATABASE_URL')
  const template = variable('TEST_DATABASE_TEMPLATE')
  const name = `test_${randomBytes(8).toString('hex')}`
  // Copying files spares the server writing every page to its log as well.
  await asAdmin(server, `create database ${name} template ${template} owner ${roleName} strategy file_copy`)
  return {
    databaseUrl: withDatabase(variable('TEST_DATABASE_ROLE_URL'), name),
    adminUrl: withDatabase(server, name),
    drop: () => asAdmin(server, `drop database if exists ${name} with (force)`),
  }
}

/**
 * Makes the template on the server at `adminUrl`, migrated as the role that will own the clones, and returns the
 * variables by which {@link createTestDatabase} finds it.
 */
export async function createTemplate(adminUrl: string): Promise<Record<string, string>> {
  const name = `template_${randomBytes(8).toString('hex')}`
  const password = randomBytes(16).toString('hex')
  // The role outlives the run on a server of one's own; its password does not.
  await asAdmin(
    adminUrl,
    `do $$ begin
       create role ${roleName};
     exception when duplicate_object then null;
     end $$`,
    `alter role ${roleName} login nosuperuser nocreatedb nocreaterole nobypassrls password '${password}'`,
    `create database ${name} owner ${roleName}`,
  )
  const url = new URL(adminUrl)
  url.username = roleName
  url.password = password
  await migrate(withDatabase(url.href, name))
  // PostgreSQL clones a database only while nobody is connected to it.
  await asAdmin(adminUrl, `alter database ${name} allow_connections false`)
  return { TEST_DATABASE_URL: adminUrl, TEST_DATABASE_ROLE_URL: url.href, TEST_DATABASE_TEMPLATE: name }
}

async function asAdmin(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

function variable(name: string): string {
  const value = process.env[name]
  if (value === undefined)
    throw new Error(`${name} is not set; run test files with \`npm test -- path/to/file.test.ts\``)
  return value
}
