/** Findings of cdk-nag's AwsSolutions rules that we live with, each with its reason. */

export interface Reason {
  /** The rule, and its finding where it has several: `AwsSolutions-IAM5[Resource::*]`. */
  readonly rule: RegExp
  /** Path of the construct. */
  readonly path: RegExp
  readonly reason: string
}

export const REASONS: readonly Reason[] = [
  {
    rule: /^AwsSolutions-SMG4$/,
    path: /\/shared\/(Tokens|Webhooks)\//,
    reason: 'Tokens are digests that people hand out and withdraw one by one; there is nothing to rotate by machine.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::\*\]$/,
    path: /\/(gate|recovery)-[a-z]+\/Role\/Resource$/,
    reason:
      'X-Ray and network interfaces, which know no resources: see the reason at each statement in functions/platform.ts.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::.*\/(snapshots|sets|drills|wal|undo|audit)\/\*\]$/,
    path: /\/(gate|recovery)-[a-z]+\/Role\/Resource$/,
    reason:
      'The objects of one folder of one bucket, with actions named one by one; names of objects are not known before.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::.*\/(snapshots|sets)\/\*\]$/,
    path: /\/task\/TaskRole\/Resource$/,
    reason: 'The task captures what the function captures: the same statements, for the objects of two folders.',
  },
  {
    rule: /^AwsSolutions-IAM5\[Resource::\*\]$/,
    path: /\/task\/AgentRole\/Resource$/,
    reason: 'The token of the registry, for which ECR knows no resources; the image itself is named.',
  },
  {
    rule: /^AwsSolutions-ECS2$/,
    path: /\/task\/Task\/Resource$/,
    reason:
      'Its variables are names of resources, as those of the functions are; the credential of the database is fetched.',
  },
  {
    rule: /^AwsSolutions-APIG4$/,
    path: /\/(Route-(readHealth|readOpenApi)|Default\/(health|openapi\.json)\/GET)\/Resource$/,
    reason: 'Open by the route table: health without details for load balancers, and the description of the interface.',
  },
  {
    rule: /^AwsSolutions-APIG4$/,
    path: /\/(Route-none|Default\/\{unknown\+\}\/ANY)\/Resource$/,
    reason: 'Paths that no route names: answered with 404 or 405, whoever asks.',
  },
  {
    rule: /^AwsSolutions-SQS3$/,
    path: /\/schedule-dead\/Resource$/,
    reason: 'It is the dead-letter queue of the schedules; rules are not seen as its sources.',
  },
  {
    rule: /^AwsSolutions-IAM4\[Policy::.*AWSLambdaBasicExecutionRole\]$/,
    path: /\/storage\/AWS[0-9a-f]+\/ServiceRole\/Resource$/,
    reason: "The CDK's own function that writes the policy file while deploying; it never runs afterwards.",
  },
  {
    rule: /^AwsSolutions-IAM4\[Policy::.*AmazonAPIGatewayPushToCloudWatchLogs\]$/,
    path: /\/gate\/Api\/CloudWatchRole\/Resource$/,
    reason: "The account's role by which API Gateway writes logs; AWS documents this very policy for it.",
  },
  {
    rule: /^AwsSolutions-APIG2$/,
    path: /\/gate\/Api\/Resource$/,
    reason: 'Requests are validated by the schemas of the route table, in the function and with our own messages.',
  },
  {
    rule: /^AwsSolutions-APIG3$/,
    path: /\/gate\/Api\/DeploymentStage\.live\/Resource$/,
    reason: 'A firewall is a choice of the environment; a private API is reached through one VPC endpoint alone.',
  },
  {
    rule: /^AwsSolutions-COG4$/,
    path: /\/gate\/Api\/Default\//,
    reason: 'Callers are agents and operators with tokens, checked by our own authorizer; there is no user pool.',
  },
]
