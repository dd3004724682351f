import type { FastifyInstance } from 'fastify'

/** Answers whether it listens; where it cannot, it says why and what to do. */
export async function listen(
  app: FastifyInstance,
  host: string,
  port: number,
  variable: 'PORT' | 'METRICS_PORT',
): Promise<boolean> {
  try {
    await app.listen({ host, port })
    return true
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE')
      console.error(`${variable}: ${port} is taken on ${host}; stop what runs there or set ${variable} to another`)
    else if (code === 'EACCES')
      console.error(`${variable}: this user may not listen on ${port}; set ${variable} to 1024 or more`)
    else if (code === 'EADDRNOTAVAIL') console.error(`HOST: ${host} is no address of this machine; set HOST to one`)
    else throw error
    return false
  }
}
