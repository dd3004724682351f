import { auditKeyId, isSignedBy } from './audit-checkpoint.ts'
import { auditFormat } from './audit-entry.ts'
import { footerBytes, lineMembers, type ExportHeader, type ExportLine } from './audit-export.ts'
import { beginChain, broken, readCheckpoint, readEntry, type AuditFault, type ChainState } from './verify-audit.ts'

/** How far reading an export has come, all lines so far being whole. */
export type ExportState =
  | { readonly kind: 'empty' }
  | { readonly kind: 'reading'; readonly header: ExportHeader; readonly chain: ChainState }
  | { readonly kind: 'complete'; readonly header: ExportHeader; readonly chain: ChainState }
  | { readonly kind: 'broken'; readonly fault: AuditFault }

export const emptyExport: ExportState = { kind: 'empty' }

/**
 * Reads one more line of an export. `pinned` is the public key one trusts; without it the export proves only that it fits
 * the key it names itself.
 */
export function readExportLine(state: ExportState, text: string, pinned: string | undefined): ExportState {
  if (state.kind === 'broken') return state
  const position = state.kind === 'empty' ? 0 : state.chain.position + 1
  if (state.kind === 'complete') return broken(position, 'reordered', 'something follows the last line')
  const line = parseLine(text)
  if (line === undefined) return broken(position, 'unreadable', 'a line is none that an export has')
  if (state.kind === 'empty') {
    return line.type === 'header' ? begin(line, pinned) : broken(0, 'removed', 'the first line is missing')
  }
  const { header, chain } = state
  const keys = new Map(Object.entries(header.public_keys))
  switch (line.type) {
    case 'header':
      return broken(position, 'reordered', 'a first line stands in the midst')
    case 'entry': {
      const step = readEntry(chain, line)
      return step.kind === 'broken' ? step : { ...state, chain: step.state }
    }
    case 'checkpoint': {
      const step = readCheckpoint(chain, line, keys)
      return step.kind === 'broken' ? step : { ...state, chain: step.state }
    }
    case 'footer': {
      const key = keys.get(line.key_id)
      if (chain.position < header.to_position) {
        return broken(position, 'truncated', `entries up to position ${header.to_position} should follow`)
      }
      const fits =
        line.last_hash === chain.hash && line.entries === chain.entries && line.checkpoints === chain.checkpoints
      if (!fits || chain.position !== header.to_position) {
        return broken(chain.position, 'altered', 'the last line does not fit what was read')
      }
      if (key === undefined) return broken(chain.position, 'foreign_key', `the last line is signed by ${line.key_id}`)
      if (!isSignedBy(key, footerBytes(header, line), line.signature)) {
        return broken(chain.position, 'bad_signature', 'the signature of the last line does not fit the export')
      }
      return { ...state, kind: 'complete' }
    }
  }
}

/** Where no line is left: an export without its last line was cut off. */
export function endExport(state: ExportState): ExportState {
  switch (state.kind) {
    case 'empty':
      return broken(0, 'truncated', 'the export is empty')
    case 'reading':
      return broken(state.chain.position + 1, 'truncated', 'the export ends without its last line')
    case 'complete':
    case 'broken':
      return state
  }
}

function begin(line: Extract<ExportLine, { type: 'header' }>, pinned: string | undefined): ExportState {
  const { type: _, ...header } = line
  if (header.format !== auditFormat) return broken(0, 'unreadable', `the format ${header.format} is unknown`)
  for (const [id, key] of Object.entries(header.public_keys)) {
    if (auditKeyId(key) !== id) return broken(0, 'altered', `the key ${id} is not the one of that name`)
    if (pinned !== undefined && key !== pinned) return broken(0, 'foreign_key', `the key ${id} is not the trusted one`)
  }
  return {
    kind: 'reading',
    header,
    chain: beginChain(header.tenant_id, header.from_position - 1, header.previous_hash),
  }
}

/** A line with exactly the members of its type: anything more would be covered by no hash. */
function parseLine(text: string): ExportLine | undefined {
  const parsed = parse(text)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined
  const type: unknown = Reflect.get(parsed, 'type')
  if (type !== 'header' && type !== 'entry' && type !== 'checkpoint' && type !== 'footer') return undefined
  const members = lineMembers[type]
  const isExact = Object.keys(parsed).length === members.length + 1 && members.every((name) => hasForm(parsed, name))
  // Its members have just been judged; what they say is judged by hash and signature.
  return isExact ? (parsed as ExportLine) : undefined
}

const numbers = new Set(['position', 'from_position', 'to_position', 'entries', 'checkpoints'])
const nullable = new Set(['actor_id', 'space_id', 'collection_id'])

function hasForm(line: object, name: string): boolean {
  if (!Object.hasOwn(line, name)) return false
  const value: unknown = Reflect.get(line, name)
  if (name === 'metadata') return true
  if (numbers.has(name)) return Number.isSafeInteger(value)
  if (name === 'public_keys') {
    return typeof value === 'object' && value !== null && Object.values(value).every((key) => typeof key === 'string')
  }
  return typeof value === 'string' || (value === null && nullable.has(name))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
