export { walArchive } from './archive.ts'
export { walFetch } from './fetch.ts'
export { walList } from './list.ts'
export { walVerify } from './verify.ts'
