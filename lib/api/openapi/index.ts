export { buildOpenApi, errorStatuses, openApiText } from './build.ts'
export { renderHttpDocument } from './document.ts'
