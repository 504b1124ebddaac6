export type {
  CloseReport,
  HttpServerOptions,
  HttpServerTimeouts,
  RunningHttpServer,
  TlsFiles,
} from './model.ts'
export { openHttpServer } from './open.ts'
