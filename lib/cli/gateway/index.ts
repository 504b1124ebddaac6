export type { Gateway, GatewayOptions, GatewayReply } from './client.ts'
export { connectGateway, openGateway, request } from './client.ts'
export { GATEWAY_FLAGS } from './flags.ts'
