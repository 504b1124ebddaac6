/** Who takes part: this product, PostgreSQL's own tools, plain COPY, and DuckDB with its PostgreSQL extension. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DuckDb } from './duckdb.ts'
import type { Contender, Place, Run } from './model.ts'
import { bytesUnder, libpqEnvironment, runProgram } from './program.ts'

const WORK = fileURLToPath(new URL('./work.ts', import.meta.url))
const SYSTEM_ROOT = '/usr/lib/postgresql'

export const PEER_NAMES = ['pg_dump', 'copy', 'duckdb'] as const
export type PeerName = (typeof PEER_NAMES)[number]

/** Binaries of the system with pg_dump, newest version first. */
export function findSystemBinaries(): string | undefined {
  if (!existsSync(SYSTEM_ROOT)) return undefined
  const folders = readdirSync(SYSTEM_ROOT).sort((left, right) => Number(right) - Number(left))
  return folders
    .map((version) => join(SYSTEM_ROOT, version, 'bin'))
    .find((folder) => ['postgres', 'pg_dump', 'pg_restore', 'psql'].every((tool) => existsSync(join(folder, tool))))
}

/** A process of its own, which caches its compiled code as the command does. */
async function runOurs(work: string, { url, folder }: Place): Promise<Run> {
  const { output, ms, rssMiB } = await runProgram({
    path: process.execPath,
    // As bin/start.js starts a command.
    args: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4', WORK, work, folder, 'big'],
    environment: { ...process.env, BACKSTOP_DB_URL: url, NODE_COMPILE_CACHE: join(folder, 'compile-cache') },
  })
  const inside = JSON.parse(output) as { readonly ms: number; readonly rssMiB: number }
  return { ms, workMs: inside.ms, rssMiB: Math.max(rssMiB, inside.rssMiB) }
}

export const OURS: Contender = {
  name: 'backstop',
  capture: 'Parquet, digest, read back',
  restore: 'verify, COPY, digest, rebuild',
  take(place) {
    rmSync(join(place.folder, 'objects'), { recursive: true, force: true })
    return runOurs('capture', place)
  },
  bring: (place) => runOurs('restore', place),
  sizeBytes: ({ folder }) => bytesUnder(join(folder, 'objects'), '.parquet'),
}

export function postgresTools(tools: string): Contender {
  const fileOf = ({ folder }: Place) => join(folder, 'big.dump')
  return {
    name: 'pg_dump -Fc, pg_restore',
    isNative: true,
    capture: 'compressed rows',
    restore: 'table, rows, key',
    take: (place) =>
      runProgram({
        path: join(tools, 'pg_dump'),
        args: ['-Fc', '-t', 'big', '-f', fileOf(place)],
        environment: libpqEnvironment(place.url),
      }),
    bring: (place) =>
      runProgram({
        path: join(tools, 'pg_restore'),
        args: ['-d', 'scratch', fileOf(place)],
        environment: libpqEnvironment(place.scratchUrl),
      }),
    sizeBytes: (place) => statSync(fileOf(place)).size,
  }
}

/** The floor: the same rows through psql, with no compression, no digest and no look back. */
export function plainCopy(tools: string, createTable: string): Contender {
  const fileOf = ({ folder }: Place) => join(folder, 'big.copy')
  const psql = (url: string, commands: readonly string[]) =>
    runProgram({
      path: join(tools, 'psql'),
      args: ['-X', '-q', '-v', 'ON_ERROR_STOP=1', ...commands.flatMap((command) => ['-c', command])],
      environment: libpqEnvironment(url),
    })
  return {
    name: 'COPY binary',
    capture: 'raw rows, nothing else',
    restore: 'table, rows, key',
    take: (place) => psql(place.url, [`\\copy big TO '${fileOf(place)}' WITH (FORMAT binary)`]),
    bring: (place) =>
      psql(place.scratchUrl, [
        createTable,
        `\\copy big FROM '${fileOf(place)}' WITH (FORMAT binary)`,
        'ALTER TABLE big ADD PRIMARY KEY (id)',
      ]),
    sizeBytes: (place) => statSync(fileOf(place)).size,
  }
}

export function duckDb(duck: DuckDb): Contender {
  const fileOf = ({ folder }: Place) => join(folder, 'duck.parquet')
  return {
    name: `DuckDB ${duck.version}`,
    capture: 'Parquet, zstd',
    restore: 'rows alone, jsonb as text',
    take: (place) =>
      duck.run(
        place.url,
        `COPY (SELECT * FROM pg.public.big) TO '${fileOf(place)}' (FORMAT parquet, COMPRESSION zstd)`,
      ),
    bring: (place) =>
      duck.run(place.scratchUrl, `CREATE TABLE pg.public.big AS SELECT * FROM read_parquet('${fileOf(place)}')`),
    sizeBytes: (place) => statSync(fileOf(place)).size,
  }
}
