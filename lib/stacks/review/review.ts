/** A synthesized stage → what cdk-nag finds in it, told apart by whether somebody wrote down why it stays. */
import { AwsSolutionsChecks } from 'cdk-nag'
import type { IConstruct } from 'constructs'
import { REASONS, type Reason } from './reasons.ts'

export interface Finding {
  readonly rule: string
  readonly path: string
  readonly text: string
  /** Absent: nobody has given one. */
  readonly reason?: Reason
}

/** The stage must be synthesized before: references between stacks have their final form only then. */
export function reviewStage(stage: IConstruct, reasons: readonly Reason[] = REASONS): readonly Finding[] {
  const report = new AwsSolutionsChecks().validateScope(stage)
  return report.violations.flatMap(({ ruleName, description, violatingResources }) =>
    violatingResources.map(({ constructPath }) => {
      const path = constructPath ?? ''
      const reason = reasons.find((one) => one.rule.test(ruleName) && one.path.test(path))
      return { rule: ruleName, path, text: description, ...(reason && { reason }) }
    }),
  )
}
