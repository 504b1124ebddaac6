/** The HTTP interface over the parts, as one process serves it. */
import { type Api, createApi, identifyByTokens, LOOPBACK_HOSTS, type TokenRegistry } from '#lib/api/index.ts'
import { apiSettings, type Parts, servicesOf } from '#lib/product/index.ts'
import type { RuntimeConfig } from './config.ts'

export interface ApiFacts {
  readonly version: string
  readonly alertTargets: readonly string[]
}

export function openApi(config: RuntimeConfig, parts: Parts, tokens: TokenRegistry, facts: ApiFacts): Api {
  const isLoopback = ['127.0.0.1', 'localhost', '::1'].includes(config.host)
  const identity = { identify: identifyByTokens(tokens), listTokens: async () => tokens.list() }
  return createApi(
    { ...servicesOf(parts, identity), alertTargets: facts.alertTargets },
    {
      ...apiSettings(config, facts.version),
      ...(isLoopback ? { allowedHosts: LOOPBACK_HOSTS } : {}),
    },
  )
}
