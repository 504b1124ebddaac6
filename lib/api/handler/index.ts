export { HANDLERS } from './table.ts'
