export { buildOpenApi, openApiText } from './build.ts'
export { renderHttpDocument } from './document.ts'
