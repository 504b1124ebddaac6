/** Writes records until it is killed, and prints each one only after the store has confirmed it. */
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { systemClock } from '#lib/adapters/system/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'

const [path = '', name = '', mode = 'own', count = '1000000000'] = process.argv.slice(2)
process.on('SIGXFSZ', () => undefined)
const store = openSqliteRecordStore({ path, clock: systemClock, busyTimeoutMs: 20_000 })

const own = async (n: number) => {
  const pair = ['a', 'b'].map((sort) => ({
    key: { partition: `${name}#${n}`, sort },
    body: { filler: 'x'.repeat(500) },
  }))
  await store.transact(pair.map((record) => ({ kind: 'create', record })))
}
const contend = async (n: number) => {
  await store.write({ kind: 'create', record: { key: { partition: 'shared', sort: `${n}` }, body: { winner: name } } })
}

for (let n = 0; n < Number(count); n++) {
  try {
    await (mode === 'own' ? own(n) : contend(n))
    console.log(`${n}`)
  } catch (error) {
    if (!isBackstopError(error)) throw error
    if (error.code === 'RECORD_EXISTS') continue
    console.log(error.code)
    break
  }
}
