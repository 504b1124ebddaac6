/** A trial in an account of its own: everything goes when the stacks go, apart from sealed audit. */
import type { EnvironmentInput } from '#lib/stacks/index.ts'

export const environment: EnvironmentInput = {
  name: 'dev',
  clusterId: 'dev-orders',
  onDelete: 'destroy',
  database: {
    host: 'dev-orders.abcdefghijkl.eu-central-1.rds.amazonaws.com',
    name: 'orders',
    user: 'backstop_gateway',
    agentRole: 'backstop_agent',
    auth: { kind: 'rds-iam', resourceId: 'db-ABCDEFGHIJKLMNOPQRSTUVWXYZ' },
  },
  network: {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['eu-central-1a'],
    subnetIds: ['subnet-0123456789abcdef0'],
    routeTableIds: ['rtb-0123456789abcdef0'],
    databaseSecurityGroupId: 'sg-0123456789abcdef0',
  },
  region: 'eu-central-1',
}
