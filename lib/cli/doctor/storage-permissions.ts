/** `backstop doctor storage-permissions`: can the storage be used, and can nobody destroy what is in it. */

import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import { noteDoctor } from '#lib/product/index.ts'
import { examineStorage, type StorageExamination, type StorageFacts } from '#lib/recovery/index.ts'
import { openMetadata } from '#lib/runtime/index.ts'
import { openStorageGround } from '#lib/runtime/tools/index.ts'
import {
  type CommandResult,
  defineCommand,
  findSetting,
  getSetting,
  METADATA_FLAG,
  STORAGE_FLAG,
  toggle,
} from '../frame/index.ts'
import type { Block } from '../terminal/index.ts'

export const doctorStoragePermissions = defineCommand({
  path: 'doctor storage-permissions',
  summary: 'Try what the product does to its storage, and what nobody should be able to',
  details:
    'Writes, reads, lists, writes again if absent, replaces and deletes an object of its own below doctor/. With --strict it ' +
    'fails when recovery objects could be deleted or replaced with these credentials; a folder cannot pass that, a bucket whose ' +
    'policy denies s3:DeleteObject and s3:PutObject without If-None-Match can.',
  flags: {
    storage: STORAGE_FLAG,
    strict: toggle('--strict', 'fail when recovery objects could be deleted or replaced'),
    metadataDb: METADATA_FLAG,
  },
  json: 'doctor, bucket, prefix, test_key, write_ok, read_ok, list_ok, conditional_write_ok, delete_allowed, overwrite_allowed, deletable_folders[], strict, warnings[], problems[] (problem, fix), checked[], skipped[], delete_error, error',
  examples: [
    {
      does: 'Before the first agent comes',
      line: 'backstop doctor storage-permissions --storage s3://your-bucket --strict',
    },
  ],
  async run({ flags }, { environment }) {
    const storageUrl = getSetting(flags.storage, '--storage', 'BACKSTOP_STORAGE_URL', environment)
    const isStrict = flags.strict
    const { objects, facts } = await openStorageGround(storageUrl)
    const report = await examineStorage({ objects, facts, random: systemRandom }, { isStrict })
    const metadata = findSetting(flags.metadataDb, 'BACKSTOP_METADATA_DB', environment)
    if (metadata !== undefined) await keep(metadata, report)
    return show(report, facts, isStrict)
  },
})

/** The storage was looked at; that its state could not be noted is told as what it is. */
async function keep(location: string, report: StorageExamination): Promise<void> {
  const records = await openMetadata(location)
  try {
    await noteDoctor(
      records,
      systemClock,
      'storage_permissions',
      report.ok,
      report.problems.map(({ problem }) => problem),
    )
  } catch (error) {
    if (!isBackstopError(error)) throw error
    throw new BackstopError('METADATA_UNREACHABLE', `the result could not be noted: ${error.message}`, { cause: error })
  } finally {
    await records.close()
  }
}

export function storageData(report: StorageExamination, facts: StorageFacts, isStrict: boolean): object {
  const failed = report.problems.filter(({ severity }) => severity === 'failed')
  return {
    doctor: 'storage-permissions',
    bucket: facts.place,
    prefix: facts.prefix,
    test_key: report.testKey,
    write_ok: report.writeOk,
    read_ok: report.readOk,
    list_ok: report.listOk,
    conditional_write_ok: report.conditionalWriteOk,
    delete_allowed: report.deleteAllowed,
    overwrite_allowed: report.overwriteAllowed,
    deletable_folders: report.deletableFolders,
    strict: isStrict,
    warnings: report.problems.filter(({ severity }) => severity === 'warning').map(({ problem }) => problem),
    problems: report.problems,
    checked: report.checked,
    skipped: report.skipped,
    ...(report.deleteError === null ? {} : { delete_error: report.deleteError }),
    ...(failed[0] === undefined
      ? {}
      : { error: { code: 'STORAGE_UNREACHABLE', message: failed[0].problem, hint: failed[0].fix } }),
  }
}

function show(report: StorageExamination, facts: StorageFacts, isStrict: boolean): CommandResult {
  const tone = report.ok ? 'good' : 'bad'
  const verdict = report.ok ? 'The storage can be used.' : 'The storage is not as it has to be.'
  const blocks: Block[] = [
    { kind: 'text', text: `${verdict} ${facts.kind === 's3' ? 'Bucket' : 'Folder'}: ${facts.place}`, tone },
    { kind: 'list', items: report.checked },
    ...report.problems.flatMap(({ severity, problem, fix }): Block[] => [
      { kind: 'text', text: `${severity}: ${problem}`, tone: severity === 'failed' ? 'bad' : 'warning' },
      { kind: 'text', text: `fix: ${fix}`, tone: 'muted' },
    ]),
    ...(report.skipped.length === 0
      ? []
      : ([
          { kind: 'title', text: 'Not checked' },
          { kind: 'list', items: report.skipped.map(({ subject, reason }) => `${subject}: ${reason}`) },
        ] as const)),
  ]
  return { ok: report.ok, data: storageData(report, facts, isStrict), blocks }
}
