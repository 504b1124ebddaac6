/** Opens one new file after the other, each at the same moment as its siblings do, and prints what failed. */
import { join } from 'node:path'
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { systemClock } from '#lib/adapters/system/index.ts'

const EVERY_MS = 8
const [folder = '', startMs = '0', count = '0'] = process.argv.slice(2)
for (let n = 0; n < Number(count); n++) {
  while (Date.now() < Number(startMs) + n * EVERY_MS) {
    // At the same moment.
  }
  try {
    await openSqliteRecordStore({ path: join(folder, `${n}.db`), clock: systemClock, busyTimeoutMs: 60_000 }).close()
  } catch (error) {
    console.log(`${n}: ${(error as Error).message}`)
  }
}
