import { composeFlows } from '../compose.ts'
import { epochStatus, keyStatus } from '../domain/key-status.ts'
import { settle } from '../settle.ts'

/** Prints one JSON line a key-encryption key, then one an epoch of data keys. */
export async function showKeyStatus(): Promise<number> {
  const settlement = await settle((message) => console.error(message))
  const flows = composeFlows({ ...settlement.settled, ownProvider: undefined })
  try {
    for (const { keyId, state, dataKeys } of await keyStatus(flows.context)) {
      console.log(JSON.stringify({ key_id: keyId, state, data_keys: dataKeys }))
    }
    for (const { epoch, dataKeys, left } of await epochStatus(flows.context)) {
      console.log(JSON.stringify({ epoch, data_keys: dataKeys, left_to_reseal: left }))
    }
    return 0
  } finally {
    await flows.close()
    await settlement.stopDatabase()
  }
}
