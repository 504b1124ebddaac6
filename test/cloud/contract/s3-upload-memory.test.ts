/** What an upload holds in memory, however long it is. */
import { expect, it } from 'vitest'
import { openS3ObjectStore } from '#lib/adapters/s3/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { startS3Sink } from '#test/support/cloud/s3-sink.ts'

const MIB = 1_048_576

it('sends 768 MiB in growing parts, and never holds more than 220 MiB', async () => {
  const sink = await startS3Sink()
  const store = openS3ObjectStore({
    bucket: 'sink',
    endpoint: sink.endpoint,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    clock: systemClock,
    random: systemRandom,
  })
  const before = process.memoryUsage().arrayBuffers
  const chunk = Buffer.alloc(MIB, 7)
  let mostBytes = 0
  const upload = await store.openUpload('k')
  for (let n = 0; n < 768; n++) {
    await upload.write(chunk)
    mostBytes = Math.max(mostBytes, process.memoryUsage().arrayBuffers - before)
  }
  expect(await upload.commit()).toMatchObject({ sizeBytes: 768 * MIB })
  await sink.close()
  const sizes = sink.partBytes.toSorted((left, right) => left - right)
  expect(sizes.reduce((sum, size) => sum + size)).toBe(768 * MIB)
  expect(sizes.at(-1)).toBeGreaterThan(8 * MIB)
  expect(mostBytes / MIB).toBeLessThan(220)
})
