import { readFile } from 'node:fs/promises'
import type { TransitSettings } from './config.ts'
import { Secret } from './core/secret.ts'
import { createEgress, type Egress } from './oauth/egress.ts'
import type { TransitServer } from './vault/transit.ts'

/** The server of the transit engine, reached by a guarded way out of its own. */
export function openTransit(settings: TransitSettings): TransitServer & Pick<Egress, 'close'> {
  const { address, namespace, token, tokenFile } = settings
  const { host, port, protocol } = new URL(address)
  // The operator named this address, so it may be private; what users name may not.
  const egress = createEgress({
    allowedPrivateHosts: [port === '' ? `${host}:${protocol === 'https:' ? 443 : 80}` : host],
  })
  return {
    address,
    namespace,
    token: async () => token ?? new Secret((await readFile(tokenFile ?? '', 'utf8')).trim()),
    send: (request) => egress.request({ method: 'POST', ...request }),
    close: () => egress.close(),
  }
}
