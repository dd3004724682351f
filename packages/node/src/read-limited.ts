import { ConnectorOAuthError } from './errors.ts'

/** A body as text. Throws `invalid_answer` once it is longer than `maxBytes`, without having held more. */
export async function readLimited(reply: Response, maxBytes: number, signal: AbortSignal): Promise<string> {
  if (reply.body === null) return ''
  // Node.js types the chunks of a reply as anything.
  const reader: ReadableStreamDefaultReader<Uint8Array> = reply.body.getReader()
  const stop = (): void => void reader.cancel(signal.reason).catch(() => {})
  signal.addEventListener('abort', stop, { once: true })
  const decoder = new TextDecoder()
  let text = ''
  let sizeBytes = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      signal.throwIfAborted()
      if (done) return text + decoder.decode()
      sizeBytes += value.length
      if (sizeBytes > maxBytes) {
        stop()
        throw new ConnectorOAuthError('The answer is too large', { code: 'invalid_answer', status: reply.status })
      }
      text += decoder.decode(value, { stream: true })
    }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
