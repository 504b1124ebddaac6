export type { LimitSettings } from './limit/index.ts'
export { DEFAULT_LIMITS } from './limit/index.ts'
export type {
  GateMetrics,
  HttpMetrics,
  MetricName,
  Metrics,
  MetricsOptions,
  MetricsSource,
  RecoveryMetrics,
} from './metrics/index.ts'
export { createLabelFilter, createMetrics, METRIC_NAMES } from './metrics/index.ts'
export type {
  AlertReader,
  AnonymousRoute,
  ApiServices,
  ApiSettings,
  AuditReader,
  HealthProbes,
  ListedAlert,
  ListedSet,
  SnapshotReader,
} from './model.ts'
export { LOOPBACK_HOSTS } from './model.ts'
export { buildOpenApi, renderHttpDocument } from './openapi/index.ts'
export { correlationIdOf } from './request/index.ts'
export type { Access, BodyRule, Route, RouteFunction, RouteName } from './route/index.ts'
export { ROUTES } from './route/index.ts'
export type { Api } from './serve.ts'
export { createApi, errorResponse } from './serve.ts'
export type { SyncPorts } from './sync.ts'
export { createSyncApi } from './sync.ts'
export type {
  Identification,
  Scope,
  TokenRegistry,
  TokenRegistryOptions,
  TokenReload,
  TokenSummary,
} from './token/index.ts'
export { createTokenRegistry, identifyByTokens, isKnownScope, SCOPES } from './token/index.ts'
