/** What pruning and keeping by hand need: the points, what approvals count on, and the ledger; no database. */
import { parquet } from '#lib/adapters/parquet/index.ts'
import type { ApprovalDesk, OpenAuditLedger } from '#lib/gate/index.ts'
import { openApprovals, openLedger } from '#lib/product/index.ts'
import { openRecovery, type Recovery } from '#lib/recovery/index.ts'
import type { RuntimeConfig } from './config.ts'
import { openMetadata, openStorage } from './storage.ts'
import { SYSTEM } from './system.ts'
import { NO_DATABASE } from './tools/recovery-tools.ts'

export interface RetentionTools {
  readonly recovery: Recovery
  readonly approvals: ApprovalDesk
  readonly ledger: OpenAuditLedger
  readonly settings: RuntimeConfig
  close(): Promise<void>
}

/** Also beside a running product. Throws STORAGE_UNREACHABLE, METADATA_UNREACHABLE. */
export async function openRetentionTools(config: RuntimeConfig): Promise<RetentionTools> {
  const objects = await openStorage(config.storageUrl, 'read')
  const records = await openMetadata(config.metadataPath)
  return {
    recovery: openRecovery({ database: NO_DATABASE, objects, records, columnar: parquet, ...SYSTEM }),
    approvals: openApprovals({ settings: config, records, ...SYSTEM, log: () => {} }),
    ledger: openLedger({ records, settings: config, ...SYSTEM }, objects),
    settings: config,
    close: () => records.close(),
  }
}
