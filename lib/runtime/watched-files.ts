/** The policy and the token file: read at the start, read again when they change. */
import { readFile } from 'node:fs/promises'
import { createTokenRegistry, type TokenRegistry } from '#lib/api/index.ts'
import { openPolicyKeeper, type PolicyKeeper } from '#lib/gate/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { Log } from '#lib/product/index.ts'
import type { RuntimeConfig } from './config.ts'
import { SYSTEM } from './system.ts'

export interface WatchedFiles {
  readonly policy: PolicyKeeper
  readonly tokens: TokenRegistry
  /** Take new versions; a malformed one is told and left aside, the last good one stays in force. */
  reload(): Promise<void>
}

export interface FileEvents {
  /** Before a new policy comes into force; when it throws, the policy does not. */
  onPolicyChange(from: string, to: string): Promise<void>
}

async function readPolicyText(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return await readFile(path, 'utf8')
  } catch {
    throw new BackstopError('POLICY_MISSING', `The policy file ${path} cannot be read.`)
  }
}

async function readTokenText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    throw new BackstopError('TOKENS_INVALID', `The token file ${path} cannot be read.`)
  }
}

async function openTokens(config: RuntimeConfig, presetTokens: string | undefined): Promise<TokenRegistry> {
  const text = config.tokensPath === undefined ? presetTokens : await readTokenText(config.tokensPath)
  if (text === undefined && !config.isDevMode) {
    throw new BackstopError(
      'TOKENS_INVALID',
      'There is no token file. Set BACKSTOP_TOKENS, or BACKSTOP_DEV_MODE=true on your own machine.',
    )
  }
  return createTokenRegistry({
    ...(text === undefined ? {} : { text }),
    isDevMode: config.isDevMode,
    clock: SYSTEM.clock,
  })
}

/**
 * Read both for the first time.
 *
 * Throws: POLICY_MISSING, POLICY_INVALID, TOKENS_INVALID
 */
export async function openWatchedFiles(
  config: RuntimeConfig,
  presetTokens: string | undefined,
  events: FileEvents,
  log: Log,
): Promise<WatchedFiles> {
  const policy = await openPolicyKeeper({
    read: () => readPolicyText(config.policyPath),
    levelActions: config.levelActions,
    clock: SYSTEM.clock,
    onChange: (change) => events.onPolicyChange(change.from.version, change.to.version),
    onRefused: (refusal) => log('error', 'policy_refused', { message: refusal.message }),
  })
  const tokens = await openTokens(config, presetTokens)
  let lastTokenText: string | undefined
  const reloadTokens = async () => {
    if (config.tokensPath === undefined) return
    const text = await readTokenText(config.tokensPath).catch(() => undefined)
    if (text === undefined || text === lastTokenText) return
    lastTokenText = text
    const result = tokens.reload(text)
    if (!result.ok) log('error', 'tokens_refused', { message: result.error.message })
  }
  return {
    policy,
    tokens,
    reload: async () => {
      await policy.reload()
      await reloadTokens()
    },
  }
}
