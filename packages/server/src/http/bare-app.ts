import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'

/**
 * An app of the framework without its compilers of schemas, which are not even loaded: routes validate for themselves, all parts at once, and
 * what they answer is sent as it is. Schemas are there for the reference.
 */
export function bareApp(options: FastifyServerOptions): FastifyInstance {
  const compilersFactory = { buildValidator: neverAsked, buildSerializer: neverAsked }
  const app = Fastify({ ...options, schemaController: { compilersFactory } })
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  return app
}

function neverAsked(): never {
  throw new Error('The app has compilers of its own')
}
