import type { ProviderClient, TokenGrant } from '../core/token.ts'
import { revokeGrant } from '../oauth/revocation.ts'
import type { Context } from './context.ts'

/** Gives back, as well as the provider allows, a grant that could not be stored: nobody would ever end it otherwise. */
export async function dropGrant(
  context: Pick<Context, 'egress' | 'clock'>,
  client: ProviderClient,
  grant: TokenGrant,
): Promise<void> {
  await revokeGrant(context, client, grant).catch(() => undefined)
}
