/** Answers the protocol of an upload in parts and keeps nothing of it, so that memory can be watched. */
import { createServer, type IncomingMessage } from 'node:http'

export interface S3Sink {
  readonly endpoint: string
  /** The sizes of the parts, in the order they ended. */
  readonly partBytes: readonly number[]
  close(): Promise<void>
}

const UPLOAD = '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>'
const COMPLETE = '<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>'

export async function startS3Sink(): Promise<S3Sink> {
  const partBytes: number[] = []
  const server = createServer(async (incoming, outgoing) => {
    const url = incoming.url ?? ''
    const count = await countBytes(incoming)
    if (url.includes('partNumber=')) partBytes.push(count)
    const body = incoming.method === 'POST' ? (url.includes('uploadId=') ? COMPLETE : UPLOAD) : ''
    outgoing.writeHead(200, { 'content-type': 'application/xml', etag: '"e"' }).end(body)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  return {
    endpoint: `http://127.0.0.1:${port}`,
    partBytes,
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    },
  }
}

async function countBytes(stream: IncomingMessage): Promise<number> {
  let count = 0
  for await (const chunk of stream) count += (chunk as Buffer).length
  return count
}
