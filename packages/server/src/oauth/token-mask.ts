import type { Secret } from '../core/secret.ts'
import type { ReplySink } from './stream-request.ts'

/**
 * Blots out an access token wherever it stands in a reply's body, by as many asterisks, so that lengths stay true.
 *
 * Some APIs echo what they were sent, in debugging answers and error pages, and a caller who may use a token need not be one who may
 * read it. Found is the token as it is, also across chunks; a provider that compresses or rewrites it gets it through.
 */
export function maskedSink(sink: ReplySink, accessToken: Secret): ReplySink {
  const token = Buffer.from(accessToken.reveal(), 'latin1')
  const mask = Buffer.alloc(token.length, '*')
  /** The end of what came, as far as it may be the token's beginning. */
  let held = emptyBuffer
  return {
    write(given) {
      const chunk = held.length === 0 ? given : Buffer.concat([held, given])
      for (let at = chunk.indexOf(token); at !== -1; at = chunk.indexOf(token, at + token.length)) mask.copy(chunk, at)
      const keep = tailLength(chunk, token)
      held = keep === 0 ? emptyBuffer : Buffer.from(chunk.subarray(chunk.length - keep))
      const ready = keep === 0 ? chunk : chunk.subarray(0, chunk.length - keep)
      return ready.length === 0 ? true : sink.write(ready)
    },
    onDrain: (resume) => sink.onDrain(resume),
    end() {
      if (held.length > 0) sink.write(held)
      sink.end()
    },
  }
}

const emptyBuffer = Buffer.alloc(0)

/** Length of the longest end of `chunk` that is a beginning of `token`, but not all of it. */
function tailLength(chunk: Buffer, token: Buffer): number {
  const first = token[0]
  if (first === undefined) return 0
  const from = Math.max(0, chunk.length - token.length + 1)
  for (let at = chunk.indexOf(first, from); at !== -1; at = chunk.indexOf(first, at + 1)) {
    const length = chunk.length - at
    if (chunk.compare(token, 0, length, at) === 0) return length
  }
  return 0
}
