/** Speak to a server byte by byte, for what an HTTP client would never send. */
import { connect } from 'node:net'

export interface RawConnection {
  write(text: string): void
  /** Everything that has come so far. */
  received(): string
  /** Resolves when the server has closed the connection; then everything that came. */
  readonly closed: Promise<string>
  destroy(): void
}

export function openRaw(port: number): Promise<RawConnection> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect({ port, host: '127.0.0.1' })
    socket.setEncoding('utf8')
    const closed = new Promise<string>((done) => socket.once('close', () => done(text)))
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.on('error', () => {})
      resolve({
        write: (bytes) => void socket.write(bytes),
        received: () => text,
        closed,
        destroy: () => void socket.destroy(),
      })
    })
  })
}

/** Send one text, wait for the server to close, and return what came. */
export async function exchangeRaw(port: number, text: string): Promise<string> {
  const connection = await openRaw(port)
  connection.write(text)
  return connection.closed
}
