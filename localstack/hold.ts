/** Keeps the local cloud and its database for `cloud up`, until it is told to end. */
import process from 'node:process'
import { startLocalCloud } from './local-cloud.ts'
import { forgetState, writeState } from './state.ts'

const { stop, ...cloud } = await startLocalCloud()
await writeState({ pid: process.pid, cloud })

/** Keeps the process; everything else that it started is unreferenced or somebody else's. */
const staying = setInterval(() => {}, 60_000)
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.once(signal, async () => {
    clearInterval(staying)
    await forgetState()
    await stop()
    process.exit(0)
  })
}
