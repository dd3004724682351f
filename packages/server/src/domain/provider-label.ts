import type { Context } from './context.ts'

/** A provider as metrics, traces and log lines name it. Tenants name their own, so there is no end to those slugs. */
export function providerLabel(context: Pick<Context, 'catalog'>, slug: string): string {
  return context.catalog.get(slug) === undefined ? 'custom' : slug
}
