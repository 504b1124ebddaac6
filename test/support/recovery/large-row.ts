/** A process of its own that captures and restores `big`, and prints whether it came back and what memory it took: `large-row.ts <database url>`. */
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { openTestRecovery } from './open.ts'

const KIBIBYTES = 1_024
const database = openPostgres({ url: process.argv[2] ?? '' })
const slice = await openTestRecovery(database)
const { snapshotId } = await slice.recovery.capture({ schema: 'public', name: 'big' }, 'manual')
await slice.recovery.restore({ snapshotId })
const digest = (name: string) => `SELECT md5(string_agg(md5(v), '' ORDER BY id)) AS digest FROM ${name}`
const [left, right] = await database.withSession(async (session) => [
  await session.query(digest('public.big')),
  await session.query(digest('public.big_recovered')),
])
await slice.close()
await database.close()
const isSame = JSON.stringify(left) === JSON.stringify(right)
const peakMebibytes = Math.round(process.resourceUsage().maxRSS / KIBIBYTES)
process.stdout.write(JSON.stringify({ isSame, peakMebibytes }))
