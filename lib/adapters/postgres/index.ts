export type { PostgresServer, PostgresTls } from './address.ts'
export type { PostgresOptions } from './database.ts'
export { openPostgres } from './database.ts'
