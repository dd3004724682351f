import { PgBoss } from 'pg-boss'
import type pg from 'pg'

/** Where pg-boss keeps its tables, apart from the service's own. */
export const jobsSchema = 'pgboss'

/**
 * Creates pg-boss's schema and tables, or brings them up to the version at hand. The caller holds the migrations' lock.
 *
 * A role that may not create schemas needs this one made for it; the error says how.
 */
export async function installJobs(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ schema_exists: boolean; may_create: boolean; role: string }>(
    `select to_regnamespace($1) is not null as schema_exists,
            has_database_privilege(current_database(), 'create') as may_create,
            quote_ident(current_user) as role`,
    [jobsSchema],
  )
  const { schema_exists: schemaExists = false, may_create: mayCreate = false, role = '' } = rows[0] ?? {}
  if (!schemaExists && !mayCreate) {
    throw new Error(
      `DATABASE_URL: its role may not create the schema ${jobsSchema}, in which jobs are queued; ` +
        `as an administrator, run: create schema ${jobsSchema} authorization ${role}`,
    )
  }
  const boss = new PgBoss({
    schema: jobsSchema,
    createSchema: !schemaExists,
    db: { executeSql: (text, values) => client.query(text, values) },
    supervise: false,
    schedule: false,
    registerInstance: false,
    openTelemetry: { enabled: false },
  })
  // What fails, fails the start below; what comes later is over before it matters.
  boss.on('error', () => {})
  try {
    await boss.start()
  } finally {
    await boss.stop({ graceful: false, close: false })
  }
}
