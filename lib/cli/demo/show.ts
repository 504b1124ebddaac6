/** The steps for people: short, and a false claim cannot be overlooked. */
import type { Block } from '../terminal/index.ts'
import type { CheckedClaim } from './claim.ts'
import type { CheckedStep } from './model.ts'

const INDENT = '   '

/** Claims without words back up others; they are printed only when they are false. */
function claimBlocks(claim: CheckedClaim): readonly Block[] {
  const says = claim.says === '' ? 'a check behind the lines above' : claim.says
  if (claim.ok) return claim.says === '' ? [] : [{ kind: 'text', text: `${INDENT}✓ ${says}`, tone: 'good' }]
  const values = `expected ${JSON.stringify(claim.expected)}, found ${JSON.stringify(claim.actual)}`
  return [{ kind: 'text', text: `${INDENT}✗ FALSE: ${says}\n${INDENT}  ${values}`, tone: 'bad' }]
}

export function stepBlocks(step: CheckedStep, index: number): readonly Block[] {
  return [
    { kind: 'text', text: `${index === 0 ? '' : '\n'}${index + 1}. ${step.title}`, tone: 'strong' },
    { kind: 'text', text: `${INDENT}${step.actor} > ${step.input}`, tone: 'muted' },
    { kind: 'text', text: `${INDENT}${step.answer}` },
    ...step.claims.flatMap(claimBlocks),
  ]
}

export interface DemoTotals {
  readonly ok: boolean
  readonly claim_count: number
  readonly false_count: number
  readonly checked_by_database: number
  readonly duration_ms: number
}

export function totalsOf(steps: readonly CheckedStep[], durationMs: number): DemoTotals {
  const claims = steps.flatMap((step) => step.claims)
  const falseCount = claims.filter((claim) => !claim.ok).length
  return {
    ok: falseCount === 0 && claims.length > 0,
    claim_count: claims.length,
    false_count: falseCount,
    checked_by_database: claims.filter((claim) => claim.checked_by === 'database').length,
    duration_ms: Math.round(durationMs),
  }
}

export function totalsBlocks(totals: DemoTotals): readonly Block[] {
  const seconds = (totals.duration_ms / 1_000).toFixed(1)
  const how = `${totals.checked_by_database} of them by asking the database directly`
  if (totals.ok) {
    return [{ kind: 'text', text: `\nAll ${totals.claim_count} checks hold, ${how}. ${seconds} s.`, tone: 'good' }]
  }
  return [
    {
      kind: 'text',
      text: `\n${totals.false_count} of ${totals.claim_count} checks are FALSE. ${seconds} s.`,
      tone: 'bad',
    },
  ]
}
