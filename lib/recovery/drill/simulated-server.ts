/** A server that does not exist, as pg_basebackup would send it: the smallest tar that counts as a whole base backup. */
import { BackstopError, sha256Hex } from '#lib/kernel/index.ts'
import type { NativeTools, Random } from '#lib/ports/index.ts'
import { formatLsn } from '../wal/index.ts'
import {
  SIMULATED_SEGMENT_BYTES,
  type SimulatedSegment,
  simulateSegment,
  simulateSystemIdentifier,
} from './simulated-wal.ts'
import { writeTar } from './write-tar.ts'

const CONTROL_BYTES = 8_192
const RELATION_BYTES = 65_536
const SEGMENT_NUMBER = 1
const SERVER_VERSION = '18'
const FOLDERS = ['base', 'base/1', 'global', 'pg_wal']

export interface SimulatedServer {
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly segment: SimulatedSegment
  readonly tools: Pick<NativeTools, 'versionOf' | 'baseBackup' | 'baseBackupInto'>
}

export function simulateServer(random: Random): SimulatedServer {
  const systemIdentifier = simulateSystemIdentifier(random)
  const segment = simulateSegment(SEGMENT_NUMBER, systemIdentifier, random)
  const control = Buffer.alloc(CONTROL_BYTES)
  control.writeBigUInt64LE(systemIdentifier, 0)
  const files = new Map<string, Uint8Array>([
    ['PG_VERSION', Buffer.from(`${SERVER_VERSION}\n`)],
    ['backup_label', Buffer.from('LABEL: a drill\n')],
    ['base/1/1259', Buffer.from(random.bytes(RELATION_BYTES))],
    ['postgresql.conf', Buffer.from("cluster_name = 'a drill'\n")],
    // Settings of an earlier recovery, which have to go.
    ['postgresql.auto.conf', Buffer.from("recovery_target_name = 'an earlier one'\n")],
    ['global/pg_control', control],
  ])
  const manifest = Buffer.from(serverManifest(files))
  const sent = new Map([...files, ['backup_manifest', manifest], [`pg_wal/${segment.name}`, segment.content]] as const)
  return {
    files,
    segment,
    tools: {
      versionOf: async () => 'a simulated server',
      baseBackup: async function* () {
        yield* writeTar(FOLDERS, sent)
      },
      baseBackupInto: () => Promise.reject(new BackstopError('BACKUP_TABLESPACES', 'a simulated server has none')),
    },
  }
}

/** As the server writes it: proven by its last line. */
function serverManifest(files: ReadonlyMap<string, Uint8Array>): string {
  const start = BigInt(SEGMENT_NUMBER * SIMULATED_SEGMENT_BYTES)
  const range = { Timeline: 1, 'Start-LSN': formatLsn(start + 40n), 'End-LSN': formatLsn(start + 256n) }
  const entries = [...files].map(([path, content]) => ({
    Path: path,
    Size: content.length,
    'Checksum-Algorithm': 'SHA256',
    Checksum: sha256Hex(content),
  }))
  const text = `{ "PostgreSQL-Backup-Manifest-Version": 1,\n"Files": ${JSON.stringify(entries)},\n"WAL-Ranges": ${JSON.stringify([range])},\n`
  return `${text}"Manifest-Checksum": "${sha256Hex(text)}"}\n`
}
