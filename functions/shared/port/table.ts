/** The table of all records. */
import { openDynamoRecordStore } from '#lib/adapters/aws/index.ts'
import type { RecordStore } from '#lib/ports/index.ts'
import { getVariable } from '../environment.ts'
import { awsSettings, SYSTEM } from './aws.ts'

export function openTable(): RecordStore {
  return openDynamoRecordStore({ table: getVariable('BACKSTOP_TABLE'), client: awsSettings(), clock: SYSTEM.clock })
}
