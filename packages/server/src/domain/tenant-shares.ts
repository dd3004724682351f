/**
 * A bounded map in which no tenant can push out what others know: each has at most a tenth, and makes room among its own first.
 */
export class TenantShares<Value> {
  readonly #atMost: number
  readonly #perTenant: number
  /** Both maps are in the order of the last change. */
  readonly #tenants = new Map<string, Map<string, Value>>()
  #size = 0

  constructor(atMost: number) {
    this.#atMost = atMost
    this.#perTenant = Math.max(1, Math.floor(atMost / 10))
  }

  get size(): number {
    return this.#size
  }

  get(tenantId: string, key: string): Value | undefined {
    return this.#tenants.get(tenantId)?.get(key)
  }

  set(tenantId: string, key: string, value: Value): void {
    const known = this.#tenants.get(tenantId) ?? new Map<string, Value>()
    if (known.delete(key)) this.#size -= 1
    if (known.size >= this.#perTenant) this.#drop(known, known.size / 10)
    this.#tenants.delete(tenantId)
    if (this.#size >= this.#atMost) this.#dropOldest()
    this.#tenants.set(tenantId, known.set(key, value))
    this.#size += 1
  }

  /** A tenth of all at once, so that making room costs each entry little. */
  #dropOldest(): void {
    const goal = this.#atMost * 0.9
    for (const [tenantId, known] of this.#tenants) {
      if (this.#size <= goal) return
      this.#drop(known, this.#size - goal)
      if (known.size === 0) this.#tenants.delete(tenantId)
    }
  }

  #drop(known: Map<string, Value>, count: number): void {
    let left = count
    for (const key of known.keys()) {
      if (left <= 0) return
      left -= 1
      known.delete(key)
      this.#size -= 1
    }
  }
}
