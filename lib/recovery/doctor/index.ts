export type { NativeToolsReport, ToolReport } from './native-tools.ts'
export { examineNativeTools } from './native-tools.ts'
export type { StorageExamination, StorageFacts, StorageOrder, StorageProblem } from './storage-permissions.ts'
export { examineStorage } from './storage-permissions.ts'
