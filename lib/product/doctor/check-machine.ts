/** The machine: PostgreSQL's programs, room on the disks, and a clock that agrees with the database's. */
import type { Clock, Database, LocalFiles, NativeTools } from '#lib/ports/index.ts'
import { examineNativeTools } from '#lib/recovery/index.ts'
import { type CheckReport, Notebook } from './model.ts'

const MEBIBYTE = 1_048_576
const LEAST_FREE_BYTES = 1_024 * MEBIBYTE
const SCARCE_FREE_BYTES = 128 * MEBIBYTE
const WRONG_CLOCK_MS = 60_000
const LATE_CLOCK_MS = 5_000

/** `serverMajor`: undefined where no database was given. */
export async function checkNativeTools(tools: NativeTools, serverMajor: number | undefined): Promise<CheckReport> {
  const notebook = new Notebook('native_tools')
  const report = await examineNativeTools(tools)
  for (const { tool, isFound, path, version, major, problem } of report.tools) {
    notebook.looked(`${tool}: ${isFound ? `${version} at ${path}` : 'not found'}`)
    if (!isFound) notebook.degrade(`${tool} is missing`, problem ?? `Install ${tool}.`)
    else if (serverMajor !== undefined && major < serverMajor) {
      const fix = `Install the client programs of PostgreSQL ${serverMajor}.`
      notebook.degrade(`${tool} ${major} is older than the server, PostgreSQL ${serverMajor}, and refuses it`, fix)
    }
  }
  return notebook.report()
}

/** Folders by what they are for; undefined ones are not on this machine. */
export async function checkDisk(
  files: Pick<LocalFiles, 'freeBytes'>,
  folders: Readonly<Record<string, string | undefined>>,
): Promise<CheckReport> {
  const notebook = new Notebook('disk')
  for (const [use, folder] of Object.entries(folders)) {
    if (folder === undefined) {
      notebook.passOver(use, 'it is not on this machine')
      continue
    }
    const freeBytes = await files.freeBytes(folder)
    notebook.looked(`${Math.floor(freeBytes / MEBIBYTE)} MiB free for ${use} in ${folder}`)
    const problem = `only ${Math.floor(freeBytes / MEBIBYTE)} MiB are free for ${use} in ${folder}`
    const fix = 'Free space there, or name another folder.'
    if (freeBytes < SCARCE_FREE_BYTES) notebook.fail(problem, fix)
    else if (freeBytes < LEAST_FREE_BYTES) notebook.degrade(problem, fix)
  }
  return notebook.report()
}

/** Ages of points and heartbeats are counted by this machine's clock. */
export async function checkClock(clock: Clock, database: Database | undefined): Promise<CheckReport> {
  const notebook = new Notebook('clock')
  if (database === undefined) {
    notebook.passOver('clock', 'there is no database to compare it with: see database_roles')
    return notebook.report()
  }
  const beforeMs = clock.nowMs()
  const [row] = await database.withSession((session) =>
    session.query<{ now: string }>(`SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text AS now`),
  )
  const offMs = Number(row?.now ?? 0) - (beforeMs + clock.nowMs()) / 2
  notebook.looked(`the clocks of this machine and of the database are ${Math.round(Math.abs(offMs))} ms apart`)
  const problem = `the clock of this machine is ${Math.round(Math.abs(offMs) / 1_000)} s off that of the database`
  const fix = 'Set both by NTP (chrony, systemd-timesyncd).'
  if (Math.abs(offMs) > WRONG_CLOCK_MS) notebook.fail(problem, fix)
  else if (Math.abs(offMs) > LATE_CLOCK_MS) notebook.degrade(problem, fix)
  return notebook.report()
}
