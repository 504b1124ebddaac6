export type { AwsClientSettings, AwsCredentials } from './client.ts'
export { awsClientConfig } from './client.ts'
export type { AwsFailure, AwsFailureKind, AwsSubject } from './failure.ts'
export { classifyAwsError, isOutcomeUnknown, mapAwsError } from './failure.ts'
