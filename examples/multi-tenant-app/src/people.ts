/** Somebody who uses the app. */
export interface User {
  readonly id: string
  readonly name: string
  readonly tenant: Tenant
  /** Each user's accounts stand in a collection of their own, in the tenant's space. */
  readonly collectionId: string
}

/** A customer of the app. */
export interface Tenant {
  readonly id: string
  readonly name: string
  readonly spaceId: string
}

const acme: Tenant = { id: 'acme', name: 'Acme', spaceId: 'aaaaaaaa-0000-4000-8000-000000000001' }
const globex: Tenant = { id: 'globex', name: 'Globex', spaceId: 'bbbbbbbb-0000-4000-8000-000000000001' }

export const tenants: readonly Tenant[] = [acme, globex]

/** Made up; a real app has a table of them, and passwords. */
export const users: readonly User[] = [
  { id: 'ada', name: 'Ada', tenant: acme, collectionId: 'aaaaaaaa-0000-4000-8000-00000000000a' },
  { id: 'alan', name: 'Alan', tenant: acme, collectionId: 'aaaaaaaa-0000-4000-8000-00000000000b' },
  { id: 'grace', name: 'Grace', tenant: globex, collectionId: 'bbbbbbbb-0000-4000-8000-00000000000a' },
]
