import { ConnectorOAuthError } from './errors.ts'

/** A block of a stream of server-sent events (HTML standard, §9.2): an event where it has data, else only word of the place. */
export interface EventBlock {
  readonly id: string | undefined
  readonly data: string | undefined
}

interface BlockLimits {
  /** How long nothing may come. A connection whose other end is gone says nothing of it. */
  readonly idleMs: number
  readonly maxCharacters: number
}

/**
 * The blocks of a stream, as they come, until it ends.
 *
 * Throws `ConnectorOAuthError`: `network` when nothing came for too long, `invalid_answer` when a block is too large, without
 * having held more.
 */
export async function* readBlocks(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  { idleMs, maxCharacters }: BlockLimits,
): AsyncGenerator<EventBlock, void, undefined> {
  let lines: string[] = []
  let rest = ''
  let characters = 0
  for await (const text of readTexts(body, idleMs)) {
    // Only what is new is looked at: a block may come byte by byte.
    for (const [index, piece] of text.split('\n').entries()) {
      if (index > 0) {
        const line = rest.endsWith('\r') ? rest.slice(0, -1) : rest
        rest = ''
        if (line === '') {
          yield parse(lines)
          lines = []
          characters = 0
        } else lines.push(line)
      }
      rest += piece
      characters += piece.length
      if (characters > maxCharacters) throw new ConnectorOAuthError('An event is too large', { code: 'invalid_answer' })
    }
  }
}

/** Only the wait for more has a limit: the reader may take its time with what has come. */
async function* readTexts(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  idleMs: number,
): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let isIdle = false
  const cancel = (): void => void reader.cancel().catch(() => {})
  try {
    for (;;) {
      const timer = setTimeout(() => {
        isIdle = true
        cancel()
      }, idleMs)
      const { done, value } = await reader.read().finally(() => clearTimeout(timer))
      if (isIdle) throw new ConnectorOAuthError('The event stream fell silent', { code: 'network' })
      if (done) return
      yield decoder.decode(value, { stream: true })
    }
  } finally {
    cancel()
  }
}

function parse(lines: readonly string[]): EventBlock {
  const valuesOf = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ''))
  const data = valuesOf('data')
  return { id: valuesOf('id').at(-1), data: data.length === 0 ? undefined : data.join('\n') }
}
