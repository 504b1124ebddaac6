/** What every command about WAL is told. */
import { requiredText } from '../frame/index.ts'

export const CLUSTER_FLAG = requiredText('--cluster-id <name>', 'which server: a name of your own, one for each server')
export const WAL_NAME_FLAG = requiredText('--wal-name <name>', "the file's name: %f")
