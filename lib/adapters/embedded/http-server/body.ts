/** Read the body of a request, no further than a limit. */
import type { IncomingMessage } from 'node:http'
import { BackstopError } from '#lib/kernel/index.ts'

function tooLarge(limitBytes: number): BackstopError {
  return new BackstopError('BODY_TOO_LARGE', `the body is larger than ${limitBytes} bytes`)
}

/** From Content-Length; 0 where there is none. */
export function declaredBytes(message: IncomingMessage): number {
  return Number(message.headers['content-length'] ?? 0)
}

/**
 * The whole body as one buffer.
 *
 * Effects: stops reading at the limit; the rest stays on the connection
 * Throws:  `BODY_TOO_LARGE`, `BODY_INVALID` when the connection ends before the body does
 */
export function readBody(message: IncomingMessage, limitBytes: number): Promise<Uint8Array> {
  if (declaredBytes(message) > limitBytes) return Promise.reject(tooLarge(limitBytes))
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let sizeBytes = 0
    const settle = (act: () => void): void => {
      message.off('data', onData).off('end', onEnd).off('close', onBroken).off('error', onBroken)
      act()
    }
    const onData = (chunk: Uint8Array): void => {
      sizeBytes += chunk.byteLength
      if (sizeBytes <= limitBytes) chunks.push(chunk)
      else settle(() => reject(tooLarge(limitBytes)))
    }
    const onEnd = (): void =>
      settle(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    const onBroken = (): void =>
      settle(() => reject(new BackstopError('BODY_INVALID', 'the body ended before it was complete')))
    message.on('data', onData).on('end', onEnd).on('close', onBroken).on('error', onBroken)
  })
}
