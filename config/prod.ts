/** Production: nothing is lost with a stack, sealed audit cannot be deleted by anybody, a firewall stands in front. */
import type { EnvironmentInput } from '#lib/stacks/index.ts'

export const environment: EnvironmentInput = {
  name: 'prod',
  region: 'eu-central-1',
  clusterId: 'prod-orders',
  onDelete: 'retain',
  tags: { 'cost-center': 'platform', criticality: 'high' },
  database: {
    host: 'prod-orders.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com',
    name: 'orders',
    user: 'backstop_gateway',
    agentRole: 'backstop_agent',
    auth: {
      kind: 'secret',
      secretArn: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders/backstop_gateway-AbCdEf',
    },
  },
  network: {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'],
    subnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1', 'subnet-0123456789abcdef2'],
    routeTableIds: ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1', 'rtb-0123456789abcdef2'],
    databaseSecurityGroupId: 'sg-0123456789abcdef0',
  },
  api: { kind: 'http', ratePerSecond: 500, burst: 1_000 },
  alerts: {
    emails: ['database-oncall@example.com'],
    https: ['https://events.pagerduty.com/integration/0123456789abcdef/enqueue'],
    webhooks: true,
  },
  policyFile: 'config/policy.example.json',
  // Tables that a function has no time for. The subnets need a way to the image, or an image of your own and endpoints.
  captureTask: { image: '123456789012.dkr.ecr.eu-central-1.amazonaws.com/lambda-nodejs:24' },
  concurrency: { query: 100, run: 10, capture: 8, isReserved: true },
  audit: { mode: 'COMPLIANCE', keepDays: 365 },
  snapshots: { coldAfterDays: 30 },
  logKeepDays: 90,
}
