import type { OwnProvider } from '../compose.ts'
import { describeSandbox } from '../sandbox-provider.ts'
import type { Settlement } from '../settle.ts'

/** On a developer's machine: the sandbox, if it has ever run there, so that commands reach its accounts. */
export function ownProviderOf({ secrets }: Settlement): OwnProvider | undefined {
  if (secrets?.sandboxPort === undefined) return undefined
  return describeSandbox(`http://localhost:${secrets.sandboxPort}`, secrets)
}
