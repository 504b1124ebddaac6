export { tokenCreate } from './create.ts'
