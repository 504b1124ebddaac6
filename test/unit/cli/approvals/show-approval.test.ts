import { expect, test } from 'vitest'
import type { ShownApproval } from '#lib/cli/approvals/model.ts'
import { showApproval } from '#lib/cli/approvals/show-approval.ts'

const APPROVAL: ShownApproval = {
  id: 'appr_1',
  status: 'pending',
  query: 'DELETE FROM orders WHERE id < $1 AND note = $2',
  agent_id: 'tester',
  principal: 'agent',
  risk_level: 'IMPACT_CRITICAL',
  operation: 'DELETE',
  schema: 'public',
  table: 'orders',
  agent_reason: null,
  created_at: '2026-01-01T00:00:00.000Z',
  expires_at: '2026-01-01T01:00:00.000Z',
  recovery_points: [],
  safety_metadata: { policy_reason: 'why', estimated_affected_rows: 3, impact_method: 'counted' },
}

test('shows the values that the statement will run with, and nothing where there are none', () => {
  const texts = (approval: ShownApproval) => JSON.stringify(showApproval(approval))
  expect(texts({ ...APPROVAL, parameters: [90, 'late'] })).toContain('$1 = 90\\n$2 = \\"late\\"')
  expect(texts(APPROVAL)).not.toContain('With the values')
})
