/** The policy that a command judges by: a file, the environment's overrides, or the defaults. */
import { readFile } from 'node:fs/promises'
import type { ActivePolicy, ParsedPolicy } from '#lib/gate/index.ts'
import { activatePolicy, defaultPolicy, formatProblem, parseLevelActions, parsePolicy } from '#lib/gate/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { CommandContext } from './model.ts'
import { findSetting } from './setting.ts'

/** Throws POLICY_MISSING. */
export async function readPolicyFile(path: string): Promise<ParsedPolicy> {
  try {
    return parsePolicy(await readFile(path, 'utf8'))
  } catch (error) {
    throw new BackstopError('POLICY_MISSING', `the policy file ${path} cannot be read`, { cause: error })
  }
}

/** Throws POLICY_MISSING, POLICY_INVALID, CONFIG_INVALID. */
export async function loadPolicy(
  given: string | undefined,
  environment: CommandContext['environment'],
): Promise<ActivePolicy> {
  const path = findSetting(given, 'BACKSTOP_POLICY', environment)
  const parsed = path === undefined ? undefined : await readPolicyFile(path)
  if (parsed?.ok === false) throw new BackstopError('POLICY_INVALID', parsed.problems.map(formatProblem).join('\n'))
  return activatePolicy(parsed?.policy ?? defaultPolicy(), parseLevelActions(environment))
}
