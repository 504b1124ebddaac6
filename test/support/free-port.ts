/** Ports for servers that are told theirs before they start. */
import { createServer } from 'node:net'

/** Below those that a system hands out by itself: nobody is given the port between this look and the server's start. */
const FIRST = 12_000
const COUNT = 20_000
const TRIES = 100

function canListen(port: number): Promise<boolean> {
  const probe = createServer()
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}

/** Of loopback; nothing listens there. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < TRIES; tried++) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    if (await canListen(port)) return port
  }
  throw new Error(`none of ${TRIES} ports is free`)
}
