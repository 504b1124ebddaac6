export type { FolderObjectStoreOptions } from './store.ts'
export { openFolderObjectStore } from './store.ts'
