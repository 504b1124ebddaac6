export { recover } from './recover.ts'
export { restore } from './restore.ts'
