/** The rehearsal: as production, with less of everything, behind an RDS Proxy. */
import type { EnvironmentInput } from '#lib/stacks/index.ts'

export const environment: EnvironmentInput = {
  name: 'staging',
  region: 'eu-central-1',
  clusterId: 'staging-orders',
  onDelete: 'retain',
  tags: { 'cost-center': 'platform' },
  database: {
    host: 'staging-orders.proxy-abcdefghijkl.eu-central-1.rds.amazonaws.com',
    name: 'orders',
    user: 'backstop_gateway',
    agentRole: 'backstop_agent',
    auth: { kind: 'rds-iam', resourceId: 'prx-0123456789abcdef0' },
  },
  network: {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['eu-central-1a', 'eu-central-1b'],
    subnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
    routeTableIds: ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1'],
    databaseSecurityGroupId: 'sg-0123456789abcdef0',
  },
  alerts: { emails: ['database-oncall@example.com'] },
  policyFile: 'config/policy.example.json',
  concurrency: { query: 20, run: 5, capture: 4, isReserved: true },
  audit: { mode: 'GOVERNANCE', keepDays: 30 },
  snapshots: { keepDays: 90, coldAfterDays: 30 },
}
