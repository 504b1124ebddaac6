export type { Environment, EnvironmentInput } from './model.ts'
export { EnvironmentInvalid, parseEnvironment } from './parse.ts'
