import pg from 'pg'
import type { Statement } from './database.ts'

/**
 * Runs a prepared statement on a connection.
 *
 * The driver takes a query of its own making as it is. A plain configuration it copies property by property, descriptors and
 * all, and that cost more than the rest of sending a lookup.
 */
export async function runPrepared<Row extends object>(
  client: pg.ClientBase,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<pg.QueryResult<Row>> {
  const { promise, resolve, reject } = Promise.withResolvers<pg.QueryResult<Row>>()
  const callback = (error: Error | null, result: pg.QueryResult<Row>): void => {
    if (error) reject(error)
    else resolve(result)
  }
  client.query(Object.assign(new pg.Query(text, [...values]), { name, callback }))
  try {
    return await promise
  } catch (error) {
    // From here the stack leads to who asked, not to the socket that brought the answer.
    if (error instanceof Error) Error.captureStackTrace(error)
    throw error
  }
}
