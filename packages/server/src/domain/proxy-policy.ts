import { matchesPath } from '../core/path-pattern.ts'
import { Problem } from '../core/problem.ts'
import type { AccessRow } from '../store/connector-access.ts'

/** What may be called through one connector's proxy; an absent list allows all. */
export interface ProxyPolicy {
  readonly methods?: readonly string[] | undefined
  /** Patterns of `core/path-pattern.ts`, below the provider's API address. */
  readonly paths?: readonly string[] | undefined
}

/** `TRACE` would show the token to whoever asks; `CONNECT` opens a tunnel. */
const neverProxied = new Set(['TRACE', 'CONNECT', 'TRACK'])

/** Throws 403 `proxy_method_refused` for a method that no connector may be called with. */
export function requireProxyMethod(method: string): void {
  if (neverProxied.has(method)) throw new Problem('proxy_method_refused')
}

/** Throws 403 `proxy_method_refused` or `proxy_path_refused` for what the connector's policy leaves out. */
export function requirePolicy(connector: AccessRow, method: string, path: string): void {
  // Judged when it was stored.
  const policy = connector.proxy_policy as ProxyPolicy | null
  if (policy === null) return
  if (policy.methods?.includes(method) === false) throw new Problem('proxy_method_refused')
  if (policy.paths?.some((pattern) => matchesPath(pattern, path)) === false) throw new Problem('proxy_path_refused')
}
