import type { FastifyInstance } from 'fastify'

/**
 * Remembers the paths of all routes that are added from here on, and answers the methods that an address takes: a wrong
 * method is told from a wrong address (RFC 9110 §15.5.6).
 */
export function rememberPaths(app: FastifyInstance): (url: string) => readonly string[] {
  const known: { readonly parts: readonly string[]; readonly methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    // The wildcard answers preflights to every address.
    if (!url.includes('*')) known.push({ parts: url.split('/'), methods: [method].flat() })
  })
  return (url) => {
    const given = (url.split('?', 1)[0] ?? '/').split('/')
    const fits = (parts: readonly string[]) =>
      parts.length === given.length &&
      parts.every((part, index) => part === given[index] || (part.startsWith(':') && given[index] !== ''))
    const methods = known.filter(({ parts }) => fits(parts)).flatMap((route) => route.methods)
    return [...new Set(methods)].toSorted()
  }
}
