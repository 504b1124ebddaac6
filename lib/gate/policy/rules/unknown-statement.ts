/** Text that cannot be parsed, and kinds of statement that nobody has judged. */
import type { PolicyRule } from '../model.ts'

/** Findings of the classifier that say: this kind has no decided level. */
const UNKNOWN_CODE = /^unknown-(node|statement|kind)/

export const unknownStatement: PolicyRule = {
  id: 'unknown-statement',
  summary:
    'Blocks text that cannot be parsed, always, and kinds of statement that are not known, if the policy says so.',
  fields: ['block_unknown_or_parse_failure'],
  judge(facts, { policy }) {
    if (facts.refusal === 'PARSE_FAILURE') {
      return { action: 'block', reason: 'unknown or unparsable SQL is blocked by policy' }
    }
    if (!policy.block_unknown_or_parse_failure) return undefined
    if (!facts.findings.some((finding) => UNKNOWN_CODE.test(finding.code))) return undefined
    return { action: 'block', reason: 'unknown or unparsable SQL is blocked by policy' }
  },
}
