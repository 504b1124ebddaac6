export type { Cluster, ClusterOptions } from './cluster.ts'
export { startCluster } from './cluster.ts'
