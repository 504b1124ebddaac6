/** Sends and handles work until it is killed; prints what was confirmed and what was handled. */
import { createDurableWorkQueue, openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'

const [path = '', name = ''] = process.argv.slice(2)
const records = openSqliteRecordStore({ path, clock: systemClock })
const queue = createDurableWorkQueue({
  records,
  clock: systemClock,
  random: systemRandom,
  leaseMs: 300,
  onFailure: ({ error }) => console.error(error),
})
queue.handle('job', async (item) => {
  console.log(`handled ${item.body['n']}`)
})
queue.start()
for (let n = 0; ; n++) {
  await queue.send('job', { n: `${name}-${n}` }, n % 3 === 0 ? { groupKey: 'g' } : {})
  console.log(`sent ${name}-${n}`)
}
