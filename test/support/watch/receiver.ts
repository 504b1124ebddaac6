/** A server that takes alerts as a chat or a pager would, and answers as it is told. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Delivered {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: bodies are looked at member by member
  readonly body: any
}

export interface Receiver {
  readonly url: string
  readonly received: readonly Delivered[]
  /** What the next deliveries are answered with; afterwards 200. */
  answerWith(...answers: readonly { readonly status: number; readonly headers?: Record<string, string> }[]): void
  close(): Promise<void>
}

export async function startReceiver(): Promise<Receiver> {
  const received: Delivered[] = []
  let answers: { status: number; headers?: Record<string, string> }[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    received.push({ path: request.url ?? '', headers: request.headers, text, body: JSON.parse(text) })
    const answer = answers.shift() ?? { status: 200 }
    response.writeHead(answer.status, answer.headers).end('ok')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answerWith: (...next) => {
      answers = [...next]
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
