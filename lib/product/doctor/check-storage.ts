/** The storage and what is in it: permissions, the archive of WAL. */
import type { ObjectStore, Random } from '#lib/ports/index.ts'
import { examineStorage, listArchive, type StorageFacts, verifyWal } from '#lib/recovery/index.ts'
import { type CheckReport, Notebook } from './model.ts'

export async function checkStorage(
  ports: { readonly objects: ObjectStore; readonly random: Random; readonly facts: StorageFacts },
  isStrict: boolean,
): Promise<CheckReport> {
  const notebook = new Notebook('storage_permissions')
  const report = await examineStorage(ports, { isStrict })
  for (const checked of report.checked) notebook.looked(checked)
  for (const { severity, problem, fix } of report.problems) {
    if (severity === 'failed') notebook.fail(problem, fix)
    else notebook.note(`${problem}. ${fix}`)
  }
  for (const { subject, reason } of report.skipped) notebook.passOver(subject, reason)
  if (!isStrict) notebook.passOver('deletion of recovery objects', 'it fails this check with --strict alone')
  return notebook.report()
}

/** Names alone: that the content is right is what the drill of the archive proves. */
export async function checkWal(objects: ObjectStore, clusterId: string | undefined): Promise<CheckReport> {
  const notebook = new Notebook('wal_archive')
  if (clusterId === undefined) {
    notebook.passOver('WAL archive', 'no --cluster-id was given: it is of use for recovery to a point in time alone')
    return notebook.report()
  }
  if ((await listArchive(objects, clusterId)).files.length === 0) {
    const fix = 'Set archive_command as "backstop wal archive --help" shows, or leave --cluster-id out.'
    notebook.looked(`the archive of ${clusterId} is empty`)
    notebook.degrade(`no WAL of ${clusterId} is archived`, fix)
    return notebook.report()
  }
  const { timelines, problems, skipped } = await verifyWal(objects, { clusterId, isQuick: true })
  notebook.looked(`the names of ${timelines.reduce((sum, one) => sum + one.segmentCount, 0)} segments of ${clusterId}`)
  for (const { subject, reason } of problems) {
    notebook.fail(`WAL archive: ${subject}: ${reason}`, 'Take a new base backup: a recovery cannot pass a gap.')
  }
  if (skipped.length > 0) {
    notebook.passOver(
      `content of ${skipped.length} files`,
      '"backstop wal verify" and the drill of the archive read it',
    )
  }
  return notebook.report()
}
