/** Keeps the policy in force, and takes a new version only when it is good. */
import { BackstopError, instantFrom, isBackstopError, jsonDigest } from '#lib/kernel/index.ts'
import type { Clock } from '#lib/ports/index.ts'
import type {
  ActivePolicy,
  LevelActions,
  Policy,
  PolicyChange,
  PolicyKeeper,
  PolicyProblem,
  PolicyRefusal,
  PolicyReload,
} from './model.ts'
import { defaultPolicy, formatProblem, parsePolicy } from './parse-policy.ts'

export interface PolicyKeeperOptions {
  /** The file's text; undefined: none is configured. Throws POLICY_MISSING when one is configured and absent. */
  read(): Promise<string | undefined>
  readonly levelActions: LevelActions
  readonly clock: Clock
  /** Called before a new version comes into force. When it throws, the version is refused. */
  onChange?(change: PolicyChange): void | Promise<void>
  /** Called for each new reason for refusing a version. */
  onRefused?(refusal: PolicyRefusal): void
}

/** The policy, the overrides, and one digest over both. */
export function activatePolicy(policy: Policy, levelActions: LevelActions): ActivePolicy {
  const version = jsonDigest({ policy: { ...policy }, levelActions: { ...levelActions } })
  return { policy, levelActions, version }
}

/**
 * Read the policy for the first time.
 *
 * Throws: `POLICY_INVALID` with every problem in its message; whatever `read` throws
 */
export async function openPolicyKeeper(options: PolicyKeeperOptions): Promise<PolicyKeeper> {
  const text = await options.read()
  let active = activatePolicy(text === undefined ? defaultPolicy() : readPolicy(text), options.levelActions)
  let hasFile = text !== undefined
  let refusal: PolicyRefusal | undefined
  let queue: Promise<unknown> = Promise.resolve()

  async function takeNewVersion(): Promise<PolicyReload> {
    const next = await options.read()
    if (next === undefined && hasFile) throw new BackstopError('POLICY_MISSING', 'the policy file is gone')
    const candidate = next === undefined ? active : activatePolicy(readPolicy(next), options.levelActions)
    if (candidate.version !== active.version) {
      const change = { from: active, to: candidate, at: instantFrom(options.clock.nowMs()) }
      await options.onChange?.(change)
      active = candidate
      hasFile = true
      refusal = undefined
      return { outcome: 'changed', change }
    }
    hasFile ||= next !== undefined
    refusal = undefined
    return { outcome: 'unchanged' }
  }

  function refuse(error: unknown): PolicyReload {
    const previous = refusal?.message
    refusal = describeRefusal(error, options.clock.nowMs())
    if (refusal.message !== previous) options.onRefused?.(refusal)
    return { outcome: 'refused', refusal }
  }

  return {
    active: () => active,
    lastProblem: () => refusal,
    reload() {
      const turn = queue.then(takeNewVersion).catch(refuse)
      queue = turn.catch(() => undefined)
      return turn
    },
  }
}

/** Carries the problems of a refused text from `readPolicy` to `describeRefusal`. */
const problemsOf = new WeakMap<BackstopError, readonly PolicyProblem[]>()

function readPolicy(text: string): Policy {
  const parsed = parsePolicy(text)
  if (parsed.ok) return parsed.policy
  const error = new BackstopError('POLICY_INVALID', parsed.problems.map(formatProblem).join('\n'))
  problemsOf.set(error, parsed.problems)
  throw error
}

function describeRefusal(error: unknown, nowMs: number): PolicyRefusal {
  const isKnown = isBackstopError(error)
  return {
    at: instantFrom(nowMs),
    message: isKnown ? error.message : 'the policy could not be read or put into force',
    problems: isKnown ? (problemsOf.get(error) ?? []) : [],
  }
}
