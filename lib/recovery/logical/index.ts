export { createLogicalBackup } from './create.ts'
export { listLogicalBackups } from './list.ts'
export type { CreateLogicalOrder, LogicalBackup, LogicalPorts, RestoreLogicalOrder } from './model.ts'
export { restoreLogicalBackup } from './restore.ts'
