import { createHash } from 'node:crypto'
import { jwtVerify } from 'jose'

/** What the bare servers know of a caller. */
export interface Caller {
  readonly tenantId: string
  readonly subject: string
}

const rememberedTokens = 10_000

/** The check that the service makes, as small as it can be written: jose behind a cache by digest, until `exp`. */
export function createJwtCheck(secret: string): (header: string | undefined) => Promise<Caller> {
  const key = Buffer.from(secret, 'utf8')
  const remembered = new Map<string, { readonly caller: Caller; readonly untilMs: number }>()
  return async (header) => {
    if (header === undefined || !header.startsWith('Bearer ')) throw new Error('no bearer token')
    const token = header.slice('Bearer '.length)
    const digest = createHash('sha256').update(token).digest('base64')
    const known = remembered.get(digest)
    if (known !== undefined && known.untilMs > Date.now()) return known.caller
    const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'], requiredClaims: ['exp', 'sub'] })
    const caller = { tenantId: String(payload['tenant_id']), subject: String(payload.sub) }
    const [oldest] = remembered.size >= rememberedTokens ? remembered.keys() : []
    if (oldest !== undefined) remembered.delete(oldest)
    remembered.set(digest, { caller, untilMs: (payload.exp ?? 0) * 1000 })
    return caller
  }
}
