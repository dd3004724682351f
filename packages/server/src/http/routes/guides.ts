import { readFileSync } from 'node:fs'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { Problem } from '../../core/problem.ts'
import { guidePage } from '../guides/guide-page.ts'
import { openShelf, type Shelf } from '../guides/shelf.ts'

const assets = { 'guides.css': 'text/css; charset=utf-8', 'guides.js': 'text/javascript; charset=utf-8' } as const

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'none'; " +
  "frame-ancestors 'none'; base-uri 'none'"

/** `GET /docs/{name}`: the guides, from `docs/` as they stand in the project; `/docs` itself is the API reference. */
export function guideRoutes(app: FastifyInstance): void {
  let opened: Promise<Shelf> | undefined
  const shelf = () => {
    opened ??= openShelf()
    // A folder that could not be read may be there at the next request.
    opened.catch(() => (opened = undefined))
    return opened
  }
  for (const [name, type] of Object.entries(assets)) {
    const content = readFileSync(new URL(`../guides/${name}`, import.meta.url), 'utf8')
    app.get(`/docs/${name}`, { schema: { hide: true } }, async (_request, reply) => reply.type(type).send(content))
  }
  app.get<{ Params: { name: string } }>('/docs/:name', { schema: { hide: true } }, async (request, reply) => {
    const { name } = request.params
    const books = await shelf()
    const guide = await books.page(name)
    if (guide === undefined) throw new Problem('not_found')
    return guarded(reply, 'text/html; charset=utf-8').send(guidePage(books, name, guide))
  })
  app.get<{ Params: { name: string } }>('/docs/images/:name', { schema: { hide: true } }, async (request, reply) => {
    const { name } = request.params
    const image = await (await shelf()).image(name)
    if (image === undefined) throw new Problem('not_found')
    return guarded(reply, name.endsWith('.svg') ? 'image/svg+xml' : 'image/png').send(image)
  })
}

function guarded(reply: FastifyReply, type: string): FastifyReply {
  return reply.type(type).header('content-security-policy', policy)
}
