import pg from 'pg'
import type { Db } from '../../src/store/database.ts'

/** What PostgreSQL did for one statement. */
export interface Explained {
  readonly statement: string
  readonly ms: number
  readonly indexes: readonly string[]
  /** Tables that were read from end to end. */
  readonly wholeTables: readonly string[]
  /** Rows or index entries of tables that were looked at, whether they were answered or not. */
  readonly lookedAt: number
}

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly Plans?: readonly PlanNode[]
}

/**
 * Runs statements as `Database.tenant` does, and has each explained as it ran. `general` takes the plan that fits every
 * value, to which PostgreSQL may come after some runs; `fitting` the one for these values.
 */
export async function explaining(
  client: pg.Client,
  tenant: string,
  mode: 'general' | 'fitting',
  tell: (explained: Explained) => void,
): Promise<Db> {
  await client.query(
    `select set_config('connector_oauth.reach', $1, false), set_config('plan_cache_mode', $2, false)`,
    [`=${tenant}`, mode === 'general' ? 'force_generic_plan' : 'force_custom_plan'],
  )
  return {
    async query(statement, values) {
      await client.query(`prepare explained as ${statement.text}`)
      const given = values.map(literal).join(', ')
      const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode; 'Execution Time': number }] }>(
        `explain (analyze, format json) execute explained${given === '' ? '' : ` (${given})`}`,
      )
      await client.query('deallocate explained')
      const [top] = rows[0]?.['QUERY PLAN'] ?? []
      if (top === undefined) throw new Error('PostgreSQL explained nothing')
      tell(summarized(statement.name, top.Plan, top['Execution Time']))
      return (await client.query(statement.text, [...values])).rows as never[]
    },
  }
}

function summarized(statement: string, plan: PlanNode, ms: number): Explained {
  const nodes = [...walk(plan)]
  const isWhole = (node: PlanNode): boolean => node['Node Type'].endsWith('Seq Scan')
  return {
    statement,
    ms,
    indexes: [...new Set(nodes.flatMap((node) => node['Index Name'] ?? []))].toSorted(),
    wholeTables: nodes.flatMap((node) => (isWhole(node) ? (node['Relation Name'] ?? []) : [])),
    lookedAt: nodes.filter(isOfTable).reduce((sum, node) => sum + rowsOf(node), 0),
  }
}

function* walk(node: PlanNode): Generator<PlanNode> {
  yield node
  for (const below of node.Plans ?? []) yield* walk(below)
}

const isOfTable = (node: PlanNode): boolean => node['Relation Name'] !== undefined || node['Index Name'] !== undefined

function rowsOf(node: PlanNode): number {
  const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
  return Math.round((node['Actual Rows'] + removed) * node['Actual Loops'])
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (value instanceof Date) return pg.escapeLiteral(value.toISOString())
  if (Array.isArray(value)) return pg.escapeLiteral(`{${value.map((item) => JSON.stringify(item)).join(',')}}`)
  // Texts and numbers are what is left.
  return pg.escapeLiteral(typeof value === 'string' ? value : JSON.stringify(value))
}
