import { useEffect, useEffectEvent, useState } from 'react'
import { readSession } from './session.ts'
import type { ServiceEvent } from './events.ts'

const againMs = 3_000

/**
 * Tells what happens as it happens (`GET /v1/events/stream`). Read with `fetch`, since an `EventSource` sends no bearer
 * token. Resolves when the stream ends; the caller goes on from `lastId`.
 */
async function readStream(
  from: string | undefined,
  signal: AbortSignal,
  tell: (block: { readonly id: string | undefined; readonly data: string | undefined }) => void,
): Promise<void> {
  const response = await fetch('/v1/events/stream', {
    headers: {
      authorization: `Bearer ${readSession()?.token ?? ''}`,
      ...(from === undefined ? {} : { 'last-event-id': from }),
    },
    signal,
  })
  if (!response.ok || response.body === null) throw new Error(`status ${response.status}`)
  let rest = ''
  for await (const text of chunksOf(response.body.pipeThrough(new TextDecoderStream()))) {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) tell({ id: field(block, 'id'), data: field(block, 'data') })
  }
}

/** Streams of the browser cannot be iterated everywhere yet. */
async function* chunksOf(stream: ReadableStream<string>): AsyncGenerator<string> {
  const reader = stream.getReader()
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value
  } finally {
    reader.releaseLock()
  }
}

function field(block: string, name: string): string | undefined {
  const line = block.split('\n').find((candidate) => candidate.startsWith(`${name}: `))
  return line?.slice(name.length + 2)
}

/** Calls `onEvent` for each event from now on, while the component stands. Says whether the stream is open. */
export function useEventStream(onEvent: (event: ServiceEvent) => void): 'live' | 'waiting' {
  const [state, setState] = useState<'live' | 'waiting'>('waiting')
  const tellEvent = useEffectEvent(onEvent)
  useEffect(() => {
    const ending = new AbortController()
    let lastId: string | undefined
    const follow = async (): Promise<void> => {
      while (!ending.signal.aborted) {
        try {
          await readStream(lastId, ending.signal, ({ id, data }) => {
            setState('live')
            lastId = id ?? lastId
            if (data !== undefined) tellEvent(JSON.parse(data) as ServiceEvent)
          })
        } catch {
          // Whatever cut it off, it is begun again below.
        }
        if (ending.signal.aborted) return
        setState('waiting')
        await new Promise((resolve) => setTimeout(resolve, againMs))
      }
    }
    void follow()
    return () => ending.abort()
  }, [])
  return state
}
