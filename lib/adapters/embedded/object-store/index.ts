export { openFolderObjectStore } from './store.ts'
