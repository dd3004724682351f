import { checkpointBytes, isSignedBy, type AuditCheckpoint } from './audit-checkpoint.ts'
import { entryHash, type AuditEntry } from './audit-entry.ts'

/** Where reading a chain has come to, all that was read before being whole. */
export interface ChainState {
  readonly tenantId: string
  /** Of the last entry read. */
  readonly position: number
  readonly hash: string
  readonly entries: number
  readonly checkpoints: number
}

/** The first thing that is wrong, and the position it shows at. */
export interface AuditFault {
  readonly position: number
  readonly fault: 'removed' | 'altered' | 'reordered' | 'truncated' | 'foreign_key' | 'bad_signature' | 'unreadable'
  readonly detail: string
}

export type ChainStep =
  | { readonly kind: 'whole'; readonly state: ChainState }
  | { readonly kind: 'broken'; readonly fault: AuditFault }

/** An entry as it was linked: with the hash that stands beside it. */
export interface LinkedEntry extends AuditEntry {
  readonly hash: string
}

/** Begins before the first entry to be read; `hash` is that of the entry before it. */
export function beginChain(tenantId: string, position: number, hash: string): ChainState {
  return { tenantId, position, hash, entries: 0, checkpoints: 0 }
}

/** Reads the next entry: right in its place, and its hash following from the one before. */
export function readEntry(state: ChainState, entry: LinkedEntry): ChainStep {
  const expected = state.position + 1
  if (entry.position > expected) return broken(expected, 'removed', `no entry stands at position ${expected}`)
  if (entry.position < expected) {
    return broken(expected, 'reordered', `an entry of position ${entry.position} stands where ${expected} belongs`)
  }
  if (entry.tenant_id !== state.tenantId) return broken(expected, 'altered', 'the entry belongs to another tenant')
  const hash = entryHash(state.hash, entry)
  if (hash !== entry.hash) {
    return broken(expected, 'altered', 'the hash does not follow from the entry and the one before it')
  }
  return { kind: 'whole', state: { ...state, position: expected, hash, entries: state.entries + 1 } }
}

/** Reads a checkpoint, which stands right after its entry. `keys` holds public keys by their ids. */
export function readCheckpoint(
  state: ChainState,
  checkpoint: AuditCheckpoint,
  keys: ReadonlyMap<string, string>,
): ChainStep {
  const { position } = checkpoint
  if (position > state.position) {
    return broken(state.position + 1, 'truncated', `a checkpoint vouches for entries up to position ${position}`)
  }
  if (position < state.position) return broken(position, 'reordered', 'the checkpoint stands after later entries')
  const key = keys.get(checkpoint.key_id)
  if (key === undefined) return broken(position, 'foreign_key', `checkpoint signed by the key ${checkpoint.key_id}`)
  if (!isSignedBy(key, checkpointBytes(checkpoint), checkpoint.signature)) {
    return broken(position, 'bad_signature', 'the signature of the checkpoint does not fit it')
  }
  if (checkpoint.tenant_id !== state.tenantId || checkpoint.hash !== state.hash) {
    return broken(position, 'altered', 'the chain is not the one that the checkpoint was signed for')
  }
  return { kind: 'whole', state: { ...state, checkpoints: state.checkpoints + 1 } }
}

export function broken(position: number, fault: AuditFault['fault'], detail: string): ChainStep & { kind: 'broken' } {
  return { kind: 'broken', fault: { position, fault, detail } }
}
