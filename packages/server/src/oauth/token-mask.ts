import type { Secret } from '../core/secret.ts'
import type { ReplySink } from './stream-request.ts'

/**
 * Blots out an access token wherever it stands in a reply's body, by as many asterisks, so that lengths stay true.
 *
 * Some APIs echo what they were sent, in debugging answers and error pages, and a caller who may use a token need not be one who may
 * read it. Found is the token as it is and as URLs and JSON spell it, also across chunks; a provider that compresses or rewrites it in
 * another way gets it through. Time is linear in the body, whatever token and body look like.
 */
export function maskedSink(sink: ReplySink, accessToken: Secret): ReplySink {
  const token = accessToken.reveal()
  const spellings = new Set([token, encodeURIComponent(token), token.replaceAll('/', '\\/')])
  return [...spellings].reduce(maskedText, sink)
}

/** Long enough to be rare in a body, and short enough that a search for it is linear. */
const prefixBytes = 8
const asterisk = 0x2a

/** A search that carries its state from chunk to chunk (Knuth, Morris and Pratt). What is held back is always a beginning of the text. */
function maskedText(sink: ReplySink, text: string): ReplySink {
  const wanted = Buffer.from(text, 'latin1')
  if (wanted.length === 0) return sink
  const prefix = wanted.subarray(0, prefixBytes)
  let fallbacks: Uint32Array | undefined
  /** Bytes of the text that the body's end may be the beginning of. */
  let heldBytes = 0

  /** Masks in place; answers where a finding began, before the chunk when negative, and what must be held back. */
  function search(chunk: Buffer): { readonly firstAt: number; readonly heldBytes: number } {
    let firstAt = Infinity
    let matched = heldBytes
    let at = 0
    while (at < chunk.length) {
      if (matched === 0) at = nextCandidate(chunk, prefix, at)
      if (at >= chunk.length) break
      fallbacks ??= fallbacksOf(wanted)
      while (matched > 0 && chunk[at] !== wanted[matched]) matched = fallbacks[matched - 1] ?? 0
      if (chunk[at] === wanted[matched]) matched += 1
      at += 1
      if (matched < wanted.length) continue
      const from = at - wanted.length
      firstAt = Math.min(firstAt, from)
      chunk.fill(asterisk, Math.max(from, 0), at)
      matched = 0
    }
    return { firstAt, heldBytes: matched }
  }

  return {
    write(chunk) {
      const found = search(chunk)
      const before = heldBytes
      heldBytes = found.heldBytes
      const freedBytes = Math.min(before, before + chunk.length - heldBytes)
      const freed = freedBytes === 0 ? emptyBuffer : wanted.subarray(0, freedBytes)
      // What is masked of it is its end: a finding that began in it reaches into the chunk.
      const plainBytes = Math.min(freedBytes, Math.max(before + found.firstAt, 0))
      const ready = chunk.subarray(0, Math.max(chunk.length - heldBytes, 0))
      let isWanted = true
      if (plainBytes > 0) isWanted = sink.write(Buffer.from(freed.subarray(0, plainBytes)))
      if (plainBytes < freedBytes) isWanted = sink.write(Buffer.alloc(freedBytes - plainBytes, asterisk))
      if (ready.length > 0) isWanted = sink.write(ready)
      return isWanted
    },
    onDrain: (resume) => sink.onDrain(resume),
    end() {
      if (heldBytes > 0) sink.write(Buffer.from(wanted.subarray(0, heldBytes)))
      sink.end()
    },
  }
}

const emptyBuffer = Buffer.alloc(0)

/** Where the text may begin next: at its prefix, or so near to the chunk's end that the prefix is not all there. */
function nextCandidate(chunk: Buffer, prefix: Buffer, from: number): number {
  const at = chunk.indexOf(prefix, from)
  return at === -1 ? Math.max(from, chunk.length - prefix.length + 1) : at
}

/** For each length but one: how much of the text's beginning its end still is. */
function fallbacksOf(text: Buffer): Uint32Array {
  const fallbacks = new Uint32Array(text.length)
  let matched = 0
  for (let at = 1; at < text.length; at += 1) {
    while (matched > 0 && text[at] !== text[matched]) matched = fallbacks[matched - 1] ?? 0
    if (text[at] === text[matched]) matched += 1
    fallbacks[at] = matched
  }
  return fallbacks
}
