import { defineCommand } from 'citty'

export const migrateCommand = defineCommand({
  meta: { name: 'migrate', description: 'Apply the migrations that the database does not have yet' },
  async run() {
    const { settle } = await import('../settle.ts')
    const { migrate } = await import('../store/migrate.ts')
    const settlement = await settle((message) => console.error(message))
    try {
      const { applied } = await migrate(settlement.settled.databaseUrl)
      for (const name of applied) console.log(name)
      if (applied.length === 0) console.error('Nothing to do: the database is up to date')
    } finally {
      await settlement.stopDatabase()
    }
  },
})
