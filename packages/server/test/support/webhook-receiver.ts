import { createServer, type IncomingHttpHeaders } from 'node:http'

/** One message as it arrived, and what it was answered with. */
export interface Received {
  readonly id: string
  readonly type: string
  readonly resourceId: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly answered: number
  /** On the clock of this process, in milliseconds. */
  readonly arrivedMs: number
}

type Asked = Omit<Received, 'answered'>
type Answer = number | undefined | Promise<number | undefined>

/** A platform's endpoint for webhooks, which takes what it is told to take. */
export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string
  /** `host:port`, for `ALLOWED_PRIVATE_HOSTS`. */
  readonly host: string
  readonly received: readonly Received[]
  /** Decides the status of each message from now on, when it likes; `undefined` cuts the connection. */
  answer(status: (message: Asked) => Answer, headers?: Record<string, string>): void
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const received: Received[] = []
  let decide: (message: Asked) => Answer = () => 204
  let replyHeaders: Record<string, string> = {}
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.once('end', () => {
      const payload = JSON.parse(body) as { type: string; data: { resource_id?: string } }
      const message = {
        id: String(request.headers['webhook-id']),
        type: payload.type,
        resourceId: payload.data.resource_id ?? '',
        headers: request.headers,
        body,
        arrivedMs: performance.now(),
      }
      const end = (status: number | undefined): void => {
        received.push({ ...message, answered: status ?? 0 })
        if (status === undefined) request.socket.destroy()
        else response.writeHead(status, replyHeaders).end()
      }
      const answer = decide(message)
      if (answer instanceof Promise) void answer.then(end)
      else end(answer)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  return {
    url: `http://${host}/hook`,
    host,
    received,
    answer(status, headers = {}) {
      decide = status
      replyHeaders = headers
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
