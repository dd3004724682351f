/**
 * Writes `schema.sql` and `src/store/rows.ts` anew from the migrations; with `--check` it changes nothing and fails
 * when they are not what the migrations make.
 */
import { writeFile } from 'node:fs/promises'
import { startTestDatabase } from '../../../scripts/test-cluster.ts'
import { createTestDatabase } from '../test/support/test-database.ts'
import { drifted, schemaFiles } from './schema-files.ts'

const cleanups: (() => Promise<void>)[] = []
try {
  Object.assign(process.env, await startTestDatabase(cleanups))
  const database = await createTestDatabase()
  const files = await schemaFiles(database.adminUrl)
  await database.drop()
  const different = await drifted(files)
  if (process.argv.includes('--check')) {
    if (different.length > 0) {
      console.error(`Not what the migrations make: ${different.join(', ')}; run \`npm run schema\``)
      process.exitCode = 1
    }
  } else {
    for (const { url, text } of files) await writeFile(url, text)
    console.log(different.length === 0 ? 'Nothing changed' : `Wrote ${different.join(', ')}`)
  }
} finally {
  for (const undo of cleanups.toReversed()) await undo()
}
