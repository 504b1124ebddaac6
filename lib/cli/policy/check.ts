/** `backstop policy check`: everything that is wrong with a policy file, or what it means. */
import type { ActivePolicy, PolicyAction, PolicyProblem } from '#lib/gate/index.ts'
import { activatePolicy, defaultPolicy, parseLevelActions } from '#lib/gate/index.ts'
import type { RiskLevel } from '#lib/kernel/index.ts'
import { RISK_LEVELS } from '#lib/kernel/index.ts'
import type { CommandResult } from '../frame/index.ts'
import { defineCommand, findSetting } from '../frame/index.ts'
import { readPolicyFile } from '../frame/policy-source.ts'
import { actionCell, riskCell } from '../terminal/index.ts'

export const policyCheck = defineCommand({
  path: 'policy check',
  summary: 'Check a policy file and print the policy in force',
  details:
    'Without a file: BACKSTOP_POLICY, else the defaults. BACKSTOP_POLICY_<LEVEL> counts as it would for the gateway.',
  args: [{ name: 'file', summary: 'policy file (JSON)', isRequired: false }],
  flags: {},
  json: 'source, version, actions, policy, problems[]; of a bad file source and problems[] alone',
  examples: [
    { does: 'Before a new policy goes live', line: 'backstop policy check policy.json' },
    { does: 'The defaults as JSON', line: 'backstop policy check --json' },
  ],
  async run({ args }, { environment }) {
    const path = findSetting(args[0], 'BACKSTOP_POLICY', environment)
    const levelActions = parseLevelActions(environment)
    if (path === undefined) return describePolicy(activatePolicy(defaultPolicy(), levelActions), 'the defaults')
    const parsed = await readPolicyFile(path)
    return parsed.ok
      ? describePolicy(activatePolicy(parsed.policy, levelActions), path)
      : describeProblems(parsed.problems, path)
  },
})

function actionsOf({
  policy,
  levelActions,
}: ActivePolicy): readonly { level: RiskLevel; action: PolicyAction; from: string }[] {
  return RISK_LEVELS.map((level) => {
    const override = levelActions[level]
    if (override !== undefined) return { level, action: override, from: `BACKSTOP_POLICY_${level}` }
    const isHeld = policy.require_approval_for_risks.includes(level)
    return { level, action: isHeld ? ('approve' as const) : ('execute' as const), from: 'require_approval_for_risks' }
  })
}

function describePolicy(active: ActivePolicy, source: string): CommandResult {
  const actions = actionsOf(active)
  const fields = Object.entries(active.policy).map(([name, value]) => [name, JSON.stringify(value)] as const)
  return {
    ok: true,
    data: {
      source,
      version: active.version,
      actions: Object.fromEntries(actions.map(({ level, action }) => [level, action])),
      policy: active.policy,
      problems: [],
    },
    blocks: [
      { kind: 'text', text: `The policy is good: ${source}`, tone: 'good' },
      { kind: 'pairs', pairs: [['version', active.version]] },
      { kind: 'title', text: 'What each level leads to, where no rule is stricter' },
      {
        kind: 'table',
        columns: [{ title: 'level' }, { title: 'action' }, { title: 'from' }],
        rows: actions.map(({ level, action, from }) => [riskCell(level), actionCell(action), from]),
        whenEmpty: '',
      },
      { kind: 'title', text: 'Every field' },
      { kind: 'pairs', pairs: fields },
    ],
  }
}

function describeProblems(problems: readonly PolicyProblem[], source: string): CommandResult {
  const rows = problems.map(({ path, message, suggestion }) => [
    path === '' ? '(the file)' : path,
    message,
    suggestion === undefined ? '' : `did you mean ${suggestion}?`,
  ])
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
  return {
    ok: false,
    data: { source, problems },
    blocks: [
      { kind: 'text', text: `The policy cannot be used: ${count} in ${source}`, tone: 'bad' },
      {
        kind: 'table',
        columns: [{ title: 'field' }, { title: 'problem' }, { title: 'suggestion' }],
        rows,
        whenEmpty: '',
      },
    ],
  }
}
