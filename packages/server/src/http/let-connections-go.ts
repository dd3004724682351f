import type { FastifyInstance, FastifyRequest } from 'fastify'

type Connection = FastifyRequest['raw']['socket']

/**
 * Lets go of connections once the server closes; each would hold up the end of the process until the client lets go of it.
 *
 * Those that are kept alive end with their next answer. Those that brought no request yet end at once: browsers open some ahead, and
 * to Node.js they are not idle.
 */
export function letConnectionsGo(app: FastifyInstance): void {
  const unused = new Set<Connection>()
  let isClosing = false
  app.server.on('connection', (connection: Connection) => {
    if (isClosing) connection.destroy()
    unused.add(connection)
    connection.once('close', () => unused.delete(connection))
  })
  app.server.on('request', ({ socket }: FastifyRequest['raw']) => unused.delete(socket))
  app.addHook('preClose', async () => {
    isClosing = true
    for (const connection of unused) connection.destroy()
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing) void reply.header('connection', 'close')
    done()
  })
}
