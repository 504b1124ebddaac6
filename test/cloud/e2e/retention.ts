/** Retention on the deployment: it removes what is past its time, and nothing that the product took meanwhile. */
import { describe, expect, inject, it } from 'vitest'
import { openDynamoRecordStore } from '#lib/adapters/aws/index.ts'
import { openS3ObjectStore } from '#lib/adapters/s3/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { instantFrom } from '#lib/kernel/index.ts'
import { PointCatalog } from '#lib/recovery/catalog/index.ts'
import { addKeep } from '#lib/recovery/retention/index.ts'
import { writePoint } from '#test/support/recovery/retention/vault.ts'
import { outputOf } from '../../../localstack/deploy.ts'

const DAY_MS = 86_400_000

export function retention(): void {
  describe('retention', () => {
    it('removes exactly the points that nothing keeps, of all that are there', async () => {
      const { outputs } = inject('deployed')
      const { endpoint } = inject('deployedOn')
      const client = { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } }
      const records = openDynamoRecordStore({ table: outputOf(outputs, 'TableName'), client, clock: systemClock })
      const objects = openS3ObjectStore({
        bucket: outputOf(outputs, 'SnapshotBucketName'),
        ...client,
        clock: systemClock,
        random: systemRandom,
      })
      const catalog = new PointCatalog(records)
      const take = (number: number, daysAgo: number) =>
        writePoint({ objects, catalog }, 'archived', number, {
          capturedAt: instantFrom(systemClock.nowMs() - daysAgo * DAY_MS),
        })
      // Older than a year: by the defaults only the newest three stay, and what is held.
      const old = [await take(1, 900), await take(2, 800), await take(3, 700)]
      const newest = [await take(4, 600), await take(5, 590), await take(6, 580)]
      const at = instantFrom(systemClock.nowMs())
      // Without a point of today the clock would seem to have jumped.
      await writePoint({ objects, catalog }, 'busy', 7, { capturedAt: at })
      const [held] = old
      if (held === undefined) throw new Error('nothing was taken')
      await addKeep(catalog, records, { snapshotId: held.snapshotId, kind: 'hold', reason: 'case', by: 'ada', at })
      const before = new Set(await folders(objects))
      const response = await fetch(`${endpoint}/2015-03-31/functions/backstop-local-recovery-retain/invocations`, {
        method: 'POST',
        body: JSON.stringify({ id: 'a-night', source: 'aws.events' }),
      })
      expect([response.status, response.headers.get('x-amz-function-error')]).toEqual([200, null])
      const after = new Set(await folders(objects))
      const gone = [...before].filter((folder) => !after.has(folder))
      expect(gone.sort()).toEqual([old[1]?.snapshotId, old[2]?.snapshotId].sort())
      for (const { snapshotId } of [held, ...newest]) {
        expect((await catalog.find(snapshotId))?.status).toBe('valid')
        expect(after).toContain(snapshotId)
      }
      expect(await catalog.find(old[1]?.snapshotId ?? 'snap_')).toBeUndefined()
      records.close()
    })
  })
}

/** Ids of the snapshots that have objects. */
async function folders(objects: Pick<ReturnType<typeof openS3ObjectStore>, 'list'>): Promise<readonly string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const page = await objects.list('snapshots/', cursor)
    ids.push(...page.objects.map(({ key }) => key.split('/')[3] ?? key))
    cursor = page.cursor
  } while (cursor !== undefined)
  return ids
}
