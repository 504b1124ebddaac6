export type { Credential } from './credential.ts'
export { readCredential } from './credential.ts'
export type { TokenEntry } from './file.ts'
export { decodeTokenFile } from './file.ts'
export type { CredentialHeaders, Identification } from './identify.ts'
export { identifyByTokens } from './identify.ts'
export type {
  Authentication,
  TokenRegistry,
  TokenRegistryOptions,
  TokenReload,
  TokenSummary,
} from './registry.ts'
export { createTokenRegistry } from './registry.ts'
export type { Scope } from './scope.ts'
export { coversScope, isKnownScope, SCOPES } from './scope.ts'
