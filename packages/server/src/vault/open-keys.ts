import { awsKmsKey } from './aws-kms.ts'
import { googleKmsKey } from './google-kms.ts'
import { heldKey, type KeyEncryptionKey } from './key-encryption-key.ts'
import { keyRing, type KeyEncryptionKeys, type ListedKey } from './key-encryption-keys.ts'
import { transitKey, type TransitServer } from './transit.ts'

/** The ring of all listed keys. `keys` must not be empty; `transit` is needed for keys that name it. */
export function openKeys(keys: readonly ListedKey[], transit: TransitServer | undefined): KeyEncryptionKeys {
  return keyRing(keys.map((key) => openKey(key, transit)))
}

function openKey(key: ListedKey, transit: TransitServer | undefined): KeyEncryptionKey {
  switch (key.service) {
    case undefined:
      return heldKey(key.id, key.key)
    case 'aws-kms':
      return awsKmsKey(key)
    case 'gcp-kms':
      return googleKmsKey(key)
    case 'vault-transit':
      if (transit === undefined) throw new Error('No transit server was given')
      return transitKey(key, transit)
  }
}

/** The packages of key services that are listed and not installed. They are optional, and large. */
export async function missingPackages(keys: readonly ListedKey[]): Promise<readonly string[]> {
  const services = new Set(keys.map((key) => key.service))
  const missing: string[] = []
  if (services.has('aws-kms') && !(await isInstalled(() => import('@aws-sdk/client-kms'))))
    missing.push('@aws-sdk/client-kms')
  if (services.has('gcp-kms') && !(await isInstalled(() => import('@google-cloud/kms'))))
    missing.push('@google-cloud/kms')
  return missing
}

async function isInstalled(load: () => Promise<unknown>): Promise<boolean> {
  return load().then(
    () => true,
    () => false,
  )
}
