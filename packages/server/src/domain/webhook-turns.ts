/** The endpoints that this process delivers to at present, each for a turn of bounded length. */
export interface WebhookTurns {
  /** How many more endpoints there is room for, and the tenants that have their share of it already. */
  room(): { readonly left: number; readonly fullTenants: readonly string[] }
  /** Counts a turn as under way until it ends. It must not reject. */
  begin(tenantId: string, turn: Promise<void>): void
  /** Says that the process ends: nothing new is sent. */
  readonly stopping: AbortSignal
  /** Resolves once none of the present turns is under way. */
  settled(): Promise<void>
  /** Lets what is being sent end, and nothing follow. */
  close(): Promise<void>
}

const mostUnderWay = 24
/** So that endpoints of one tenant that all hang leave the others room. */
const shareOfTenant = 3

export function createWebhookTurns(): WebhookTurns {
  const underWay = new Set<{ readonly tenantId: string; readonly ended: Promise<void> }>()
  const ending = new AbortController()
  const settled = async (): Promise<void> => {
    await Promise.all([...underWay].map((turn) => turn.ended))
  }
  return {
    stopping: ending.signal,
    room() {
      const ofTenants = Map.groupBy(underWay, (turn) => turn.tenantId)
      const fullTenants = [...ofTenants].filter(([, turns]) => turns.length >= shareOfTenant).map(([tenant]) => tenant)
      return { left: Math.max(0, mostUnderWay - underWay.size), fullTenants }
    },
    begin(tenantId, turn) {
      const entry = { tenantId, ended: turn.finally(() => underWay.delete(entry)) }
      underWay.add(entry)
    },
    settled,
    async close() {
      ending.abort()
      await settled()
    },
  }
}
