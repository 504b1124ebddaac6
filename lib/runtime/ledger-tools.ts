/** The audit ledger of a product, without running it. */
import type { OpenAuditLedger } from '#lib/gate/index.ts'
import type { ObjectStore, RecordStore } from '#lib/ports/index.ts'
import { openLedger } from '#lib/product/index.ts'
import type { RuntimeConfig } from './config.ts'
import { openMetadata, openStorage } from './storage.ts'
import { SYSTEM } from './system.ts'

export interface LedgerTools {
  readonly ledger: OpenAuditLedger
  readonly records: RecordStore
  readonly objects: ObjectStore
  close(): Promise<void>
}

/** Verify and export where the product keeps its ledger; also beside a running product. */
export async function openLedgerTools(config: RuntimeConfig): Promise<LedgerTools> {
  const objects = await openStorage(config.storageUrl, 'read')
  const records = await openMetadata(config.metadataPath)
  const ledger = openLedger({ records, settings: config, ...SYSTEM }, objects)
  return { ledger, records, objects, close: () => records.close() }
}
