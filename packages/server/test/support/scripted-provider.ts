import { randomBytes } from 'node:crypto'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { EgressError, type EgressReply, type EgressRequest } from '../../src/oauth/egress.ts'

/** What the token endpoint does with the next request. */
export type Script =
  | 'answers'
  /** A status that says: not now. Nothing was done. */
  | 'in-trouble'
  /** No connection comes about. */
  | 'unreachable'
  /** It does the work, and the reply is lost. */
  | 'loses-reply'
  /** It does nothing, and no reply comes. */
  | 'loses-request'

/** What a refresh token is at the provider, and the grant it belongs to. */
interface KnownToken {
  readonly grant: string
  spentAt: number | undefined
}

/**
 * A token endpoint without a network, for thousands of runs in a given time: rotates, notices a token that comes back after
 * it was spent, and then ends the grant.
 */
export interface ScriptedProvider {
  /** Stands in for `Egress.request`. */
  request(request: EgressRequest): Promise<EgressReply>
  /** A new grant, as a consent makes it. */
  grant(): { readonly grant: string; readonly accessToken: string; readonly refreshToken: string }
  /** From now on. */
  behave(script: Script): void
  /** Refresh tokens that came back spent, outside the grace. */
  readonly reuses: number
  /** Requests that carried a refresh token, and questions that did not. */
  readonly requests: number
  readonly questions: number
  /** The most that were under way at once since the last `forgetPeak`. */
  readonly peak: number
  forgetPeak(): void
  /** Whether a refresh token would be taken now. */
  isGood(refreshToken: string): boolean
  /** Ends a grant as a user does at the provider. */
  end(grant: string): void
  hasEnded(grant: string): boolean
  /** The grant an access token or a refresh token belongs to. */
  grantOf(token: string): string | undefined
  /** Keeps finished replies back from now on; `letGo` sends them. */
  hold(): void
  letGo(): void
}

export interface ScriptedRules {
  readonly rotates: boolean
  readonly graceSeconds?: number
  readonly lifetimeSeconds: number
  readonly now: () => Date
}

export function createScriptedProvider({
  rotates,
  graceSeconds,
  lifetimeSeconds,
  now,
}: ScriptedRules): ScriptedProvider {
  const tokens = new Map<string, KnownToken>()
  const ended = new Set<string>()
  const counts = { reuses: 0, requests: 0, questions: 0, underWay: 0, peak: 0 }
  const grants = new Map<string, string>()
  let script: Script = 'answers'
  let held: PromiseWithResolvers<void> | undefined

  const issue = (grant: string): string => {
    const refreshToken = `rt-${randomBytes(9).toString('base64url')}`
    tokens.set(refreshToken, { grant, spentAt: undefined })
    grants.set(refreshToken, grant)
    return refreshToken
  }
  const issueAccess = (grant: string): string => {
    const accessToken = `at-${randomBytes(9).toString('base64url')}`
    grants.set(accessToken, grant)
    return accessToken
  }
  const inGrace = (spentAt: number): boolean =>
    graceSeconds !== undefined && now().getTime() < spentAt + graceSeconds * 1000

  /** Answers the reply's document, or `undefined` for `invalid_grant`. */
  const redeem = (refreshToken: string): object | undefined => {
    const known = tokens.get(refreshToken)
    if (known === undefined || ended.has(known.grant)) return undefined
    if (known.spentAt !== undefined && !inGrace(known.spentAt)) {
      counts.reuses += 1
      ended.add(known.grant)
      return undefined
    }
    known.spentAt ??= rotates ? now().getTime() : undefined
    const reply = { access_token: issueAccess(known.grant), expires_in: lifetimeSeconds }
    return rotates ? { ...reply, refresh_token: issue(known.grant) } : reply
  }

  const answer = (request: EgressRequest): EgressReply => {
    if (script === 'unreachable') throw new EgressError('network', 'scripted', false)
    if (script === 'loses-request') throw new EgressError('network', 'scripted', true)
    if (script === 'in-trouble') return json(503, { error: 'temporarily_unavailable' })
    if (request.method === 'HEAD') return json(405, {})
    const reply = redeem(new URLSearchParams(request.body).get('refresh_token') ?? '')
    if (script === 'loses-reply') throw new EgressError('network', 'scripted', true)
    return reply === undefined ? json(400, { error: 'invalid_grant' }) : json(200, reply)
  }

  return {
    async request(request) {
      if (request.method === 'HEAD') counts.questions += 1
      else counts.requests += 1
      counts.underWay += 1
      counts.peak = Math.max(counts.peak, counts.underWay)
      try {
        // It arrives at once; the reply takes its time, and others arrive meanwhile.
        const reply = (async () => answer(request))()
        reply.catch(() => {})
        await new Promise((resolve) => setImmediate(resolve))
        await held?.promise
        return await reply
      } finally {
        counts.underWay -= 1
      }
    },
    grant() {
      const grant = randomBytes(9).toString('base64url')
      return { grant, accessToken: issueAccess(grant), refreshToken: issue(grant) }
    },
    behave: (changed) => void (script = changed),
    get reuses() {
      return counts.reuses
    },
    get requests() {
      return counts.requests
    },
    get questions() {
      return counts.questions
    },
    get peak() {
      return counts.peak
    },
    forgetPeak: () => void (counts.peak = 0),
    isGood(refreshToken) {
      const known = tokens.get(refreshToken)
      return known !== undefined && !ended.has(known.grant) && (known.spentAt === undefined || inGrace(known.spentAt))
    },
    end: (grant) => void ended.add(grant),
    hasEnded: (grant) => ended.has(grant),
    grantOf: (token) => grants.get(token),
    hold() {
      held ??= Promise.withResolvers()
    },
    letGo() {
      held?.resolve()
      held = undefined
    },
  }
}

function json(status: number, document: object): EgressReply {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(document)) }
}

/** A definition for it; what is documented of its refresh tokens is the test's to say. */
export function scriptedDefinition(slug: string, known: Partial<ProviderDefinition> = {}): ProviderDefinition {
  return {
    slug,
    display_name: slug,
    categories: ['developer'],
    authorization_url: `https://${slug}.example/authorize`,
    token_url: `https://${slug}.example/token`,
    client_auth: 'client_secret_post',
    default_scopes: [],
    refreshable: true,
    ...known,
  }
}
