import type { Logger } from 'pino'
import type { Flows } from './compose.ts'
import { SettingsError } from './config.ts'
import { judgeKeys } from './domain/key-status.ts'

/** Throws `SettingsError` when nothing new could be sealed; warns of what an operator should tidy up. */
export async function refuseRetiredKey({ context }: Pick<Flows, 'context'>, logger: Logger): Promise<void> {
  const faults = await judgeKeys(context)
  const first = context.keyEncryptionKeys.currentId
  if (faults.isFirstRetired)
    throw new SettingsError([`ENCRYPTION_KEYS: the first key, ${first}, is retired; put the current one first`])
  const { retired, missing } = faults
  if (retired.length > 0) logger.warn({ keys: retired }, 'ENCRYPTION_KEYS lists retired keys; take them out')
  if (missing.length > 0)
    logger.error({ keys: missing }, 'ENCRYPTION_KEYS lacks keys that data keys are wrapped by; add them')
}
