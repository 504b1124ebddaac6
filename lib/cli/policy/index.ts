export { policyCheck } from './check.ts'
