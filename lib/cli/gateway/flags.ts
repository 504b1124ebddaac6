/** The flags of every command that speaks with a gateway. */
import { text } from '../frame/index.ts'

export const GATEWAY_FLAGS = {
  url: text('--url <url>', 'address of the gateway (BACKSTOP_URL, default http://127.0.0.1:8080)'),
  tokenFile: text('--token-file <path>', 'file that holds the token (or set BACKSTOP_TOKEN)'),
}
