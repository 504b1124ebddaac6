export type { PostgresOptions } from './database.ts'
export { openPostgres } from './database.ts'
