/** Submits records, awaits nothing and closes nothing: what is still open when the script is over decides when the process ends. */
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { systemClock } from '#lib/adapters/system/index.ts'

const [path = '', count = '0'] = process.argv.slice(2)
const store = openSqliteRecordStore({ path, clock: systemClock })
for (let n = 0; n < Number(count); n++) {
  void store
    .write({ kind: 'create', record: { key: { partition: 'p', sort: `${n}` }, body: {} } })
    .then(() => console.log(`${n}`))
}
