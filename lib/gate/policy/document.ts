/** The reference page of the policy, written from the fields and the rules themselves. */
import type { PolicyFieldName } from './fields.ts'
import { POLICY_FIELD_NAMES, POLICY_FIELDS } from './fields.ts'
import type { Policy } from './model.ts'
import { defaultPolicy } from './parse-policy.ts'
import { RULES } from './rules/index.ts'

const INTRODUCTION = `# Policy

<!-- Written from lib/gate/policy by \`npx vitest run --project unit test/unit/gate/policy -u\`. -->

The policy is one JSON file, named by \`BACKSTOP_POLICY\`; without it the defaults below hold. A field that is left out has its
default. Everything else is meant as it is written: an empty list is empty, a zero is zero, and a name that is not a field, a key
that stands twice, an unknown operation or a value of the wrong type is an error that names the place. A new version of the file
comes into force without a restart; a version with an error is refused, and the last good one stays in force.
\`backstop policy check <file>\` reads a file without using it.

\`BACKSTOP_POLICY_SAFE\`, \`_LOW\`, \`_HIGH\`, \`_IMPACT_CRITICAL\` and \`_CRITICAL\` are \`execute\`, \`approve\` or \`block\` and override the
approval list level by level. They do not override a rule that is stricter, and they waive no recovery point.`

const RULES_INTRODUCTION = `Every rule is asked. The strictest answer counts (block, then approve, then execute); where two are equally strict, the
upper one gives the reason. So one more restriction never widens access.`

const RECOVERY = `Independent of the verdict, \`require_recovery_for_critical\` demands recovery points for CRITICAL and IMPACT_CRITICAL statements:

| tables | must have a fresh point before | captured in the statement's transaction |
| --- | --- | --- |
| that it drops, truncates, empties or rewrites | yes | yes |
| whose rows an UPDATE, DELETE or MERGE reaches | yes | yes |
| that lose rows only through a cascade, a child table, a rule or a function | with \`cascade_risk_requires_group_readiness\` | yes |
| joined to them by foreign keys | with \`foreign_key_grouping_enabled\` | with \`foreign_key_grouping_enabled\` |
| of a recovery group of one of them | as that one | as that one |`

/** The whole page as Markdown. */
export function renderPolicyDocument(): string {
  const defaults = defaultPolicy()
  const fields = POLICY_FIELD_NAMES.map((name) => fieldRow(name, defaults))
  const rules = RULES.map((rule, index) => {
    const names = rule.fields.map((field) => `\`${field}\``).join(', ')
    return `| ${index + 1} | \`${rule.id}\` | ${rule.summary} | ${names === '' ? 'none' : names} |`
  })
  return `${[
    INTRODUCTION,
    '## Fields',
    ['| field | type | default | meaning |', '| --- | --- | --- | --- |', ...fields].join('\n'),
    '## Rules',
    RULES_INTRODUCTION,
    ['| | rule | what it does | fields |', '| --- | --- | --- | --- |', ...rules].join('\n'),
    '## Recovery points',
    RECOVERY,
  ].join('\n\n')}\n`
}

function fieldRow(name: PolicyFieldName, defaults: Policy): string {
  const { type, meaning } = POLICY_FIELDS[name]
  return `| \`${name}\` | ${type} | \`${JSON.stringify(defaults[name])}\` | ${meaning} |`
}
