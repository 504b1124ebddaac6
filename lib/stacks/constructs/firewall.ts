/** A web firewall in front of a REST API: callers that flood, addresses of bad repute, known attacks on the transport. */
import type { Stack } from 'aws-cdk-lib'
import { CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2'
import type { Environment } from '../config/index.ts'

/**
 * The common rules and those against SQL injection are left out on purpose: they read bodies, and every body here is SQL.
 * What a statement may do is the gate's to decide.
 */
const MANAGED = ['AWSManagedRulesAmazonIpReputationList', 'AWSManagedRulesKnownBadInputsRuleSet'] as const

function visible(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { cloudWatchMetricsEnabled: true, metricName, sampledRequestsEnabled: false }
}

function managedRule(name: string, index: number): CfnWebACL.RuleProperty {
  return {
    name,
    priority: index + 1,
    overrideAction: { none: {} },
    statement: { managedRuleGroupStatement: { vendorName: 'AWS', name } },
    visibilityConfig: visible(name),
  }
}

export function createFirewall(scope: Stack, environment: Environment, limit: number, stageArn: string): CfnWebACL {
  const flood: CfnWebACL.RuleProperty = {
    name: 'flood',
    priority: 0,
    action: { block: { customResponse: { responseCode: 429 } } },
    statement: { rateBasedStatement: { limit, aggregateKeyType: 'IP' } },
    visibilityConfig: visible('flood'),
  }
  const acl = new CfnWebACL(scope, 'Firewall', {
    name: `backstop-${environment.name}`,
    scope: 'REGIONAL',
    defaultAction: { allow: {} },
    rules: [flood, ...MANAGED.map(managedRule)],
    visibilityConfig: visible(`backstop-${environment.name}`),
  })
  new CfnWebACLAssociation(scope, 'FirewallAtApi', { resourceArn: stageArn, webAclArn: acl.attrArn })
  return acl
}
