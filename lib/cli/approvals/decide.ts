/** `backstop approvals show|approve|deny`: look at one held statement and decide, once. */
import { defineCommand, text } from '../frame/index.ts'
import { connectGateway, GATEWAY_FLAGS, request } from '../gateway/index.ts'
import type { ShownApproval } from './model.ts'
import { showApproval } from './show-approval.ts'

const ID = [{ name: 'id', summary: 'id of the approval: appr_…', isRequired: true }] as const

interface Decision {
  readonly status: 'approved' | 'denied'
  readonly approval_id: string
  readonly decided_at: string
  readonly decided_by: string
  readonly comment: string | null
}

function pathOf(verb: string, id: string | undefined): string {
  return `/${verb}/${encodeURIComponent(id ?? '')}`
}

export const approvalsShow = defineCommand({
  path: 'approvals show',
  summary: 'Show one held statement in full',
  args: ID,
  flags: GATEWAY_FLAGS,
  json: 'approval',
  examples: [{ does: 'Before deciding', line: 'backstop approvals show appr_4f2c… --token-file operator.token' }],
  async run({ args, flags }, context) {
    const gateway = await connectGateway(flags, context)
    const approval = await request<ShownApproval>(gateway, 'GET', pathOf('approvals', args[0]))
    return { ok: true, data: { approval }, blocks: showApproval(approval) }
  },
})

function defineDecision(verb: 'approve' | 'deny', summary: string, next: string) {
  return defineCommand({
    path: `approvals ${verb}`,
    summary,
    details: 'The first decision stands. Nobody decides on their own request.',
    args: ID,
    flags: { ...GATEWAY_FLAGS, comment: text('--comment <text>', 'kept with the decision and shown to the requester') },
    json: 'decision',
    examples: [
      {
        does: 'With a note for the requester',
        line: `backstop approvals ${verb} appr_4f2c… --comment "checked with the owner"`,
      },
    ],
    async run({ args, flags }, context) {
      const gateway = await connectGateway(flags, context)
      const body = flags.comment === undefined ? {} : { comment: flags.comment }
      const decision = await request<Decision>(gateway, 'POST', pathOf(verb, args[0]), body)
      return {
        ok: true,
        data: { decision },
        blocks: [
          {
            kind: 'text',
            text: `${decision.approval_id} is ${decision.status} by ${decision.decided_by}.`,
            tone: 'good',
          },
          { kind: 'text', text: next, tone: 'muted' },
        ],
      }
    },
  })
}

export const approvalsApprove = defineDecision(
  'approve',
  'Approve a held statement, once',
  'The agent may now resubmit exactly what was approved, until the approval expires.',
)
export const approvalsDeny = defineDecision(
  'deny',
  'Deny a held statement, once',
  'The agent is told on its next attempt.',
)
