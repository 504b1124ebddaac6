export { CLUSTER_FLAG } from './flags.ts'
