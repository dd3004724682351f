import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:https'
import { after, before, describe, it } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { createEgress, EgressError } from '../../src/oauth/egress.ts'
import { selfSigned } from './self-signed.ts'

const trusted = selfSigned('provider.example')
const stranger = selfSigned('provider.example')

interface TlsServer {
  readonly port: number
  readonly hosts: (string | undefined)[]
  close(): void
}

async function serve(identity: { key: string; cert: string }): Promise<TlsServer> {
  const hosts: (string | undefined)[] = []
  const server: Server = createServer(identity, (request, response) => {
    hosts.push(request.headers.host)
    response.end('secure')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert(typeof address === 'object' && address !== null)
  return {
    port: address.port,
    hosts,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** Asks `name` at a server on loopback; resolves to the body or the kind of the error. */
async function ask(name: string, server: TlsServer): Promise<string> {
  const host = `${name}:${server.port}`
  const egress = createEgress({ allowedPrivateHosts: [host], lookup: async () => ['127.0.0.1'] })
  try {
    return (await egress.request({ method: 'GET', url: `https://${host}/` })).body.toString()
  } catch (error) {
    assert(error instanceof EgressError)
    assert.equal(error.sent, false)
    return error.kind
  } finally {
    await egress.close()
  }
}

describe('TLS', () => {
  const ordinary = getCACertificates('default')
  before(() => setDefaultCACertificates([...ordinary, trusted.cert]))
  after(() => setDefaultCACertificates(ordinary))

  it('is checked against the name that was asked, over the address that was checked', async () => {
    const server = await serve(trusted)
    assert.equal(await ask('provider.example', server), 'secure')
    assert.deepEqual(server.hosts, [`provider.example:${server.port}`])
    server.close()
  })

  it('of another name, or signed by a stranger, ends the attempt before anything is sent', async () => {
    const server = await serve(trusted)
    assert.equal(await ask('other.example', server), 'network')
    assert.equal(server.hosts.length, 0)
    server.close()
    const evil = await serve(stranger)
    assert.equal(await ask('provider.example', evil), 'network')
    assert.equal(evil.hosts.length, 0)
    evil.close()
  })
})
