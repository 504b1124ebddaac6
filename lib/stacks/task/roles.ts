/** Who may do what around the task: its code, the agent that starts it, and the pipe that asks for it. */

import { PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import type { FunctionMakerProps, Statement } from '../functions/index.ts'
import { FUNCTIONS, statementsOf, toPolicyStatement } from '../functions/index.ts'

const ECR_IMAGE = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/([^:@]+)/

/** What the function captures with, the task captures with. */
export const CAPTURE_ROW = FUNCTIONS.find(({ name }) => name === 'recovery.capture') as (typeof FUNCTIONS)[number]

/** The code's own: those of `recovery.capture` without its queue, and the one object that is its bundle. */
export function createTaskRole(scope: Construct, { environment, places }: FunctionMakerProps, bundleArn: string): Role {
  const statements = [
    ...statementsOf(CAPTURE_ROW.permissions, places, environment),
    { sid: 'ReadBundle', actions: ['s3:GetObject'], resources: [bundleArn] },
  ]
  return roleOf(scope, 'TaskRole', 'ecs-tasks.amazonaws.com', statements)
}

/** The agent's: the log, and the image where that lies in a registry of an account. */
export function createAgentRole(scope: Construct, logGroupArn: string, image: string, partition: string): Role {
  const log: Statement = {
    sid: 'Log',
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resources: [logGroupArn],
    reason: 'The streams of one log group: ECS names them.',
  }
  return roleOf(scope, 'AgentRole', 'ecs-tasks.amazonaws.com', [log, ...pullStatements(image, partition)])
}

function pullStatements(image: string, partition: string): readonly Statement[] {
  const [, account, region, repository] = ECR_IMAGE.exec(image) ?? []
  if (repository === undefined) return []
  return [
    {
      sid: 'RegistryToken',
      actions: ['ecr:GetAuthorizationToken'],
      resources: ['*'],
      reason: 'ECR knows no resources for its token.',
    },
    {
      sid: 'PullImage',
      actions: ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
      resources: [`arn:${partition}:ecr:${region}:${account}:repository/${repository}`],
    },
  ]
}

export interface PipeReach {
  readonly queueArn: string
  readonly messageKeyArn: string
  readonly clusterArn: string
  readonly taskDefinitionArn: string
  readonly passedRoleArns: readonly string[]
}

export function createPipeRole(scope: Construct, reach: PipeReach): Role {
  return roleOf(scope, 'PipeRole', 'pipes.amazonaws.com', [
    {
      sid: 'ReceiveOrders',
      actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
      resources: [reach.queueArn],
    },
    { sid: 'ReadOrders', actions: ['kms:Decrypt'], resources: [reach.messageKeyArn] },
    {
      sid: 'RunTask',
      actions: ['ecs:RunTask'],
      resources: [reach.taskDefinitionArn],
      conditions: { ArnEquals: { 'ecs:cluster': reach.clusterArn } },
    },
    {
      sid: 'PassRoles',
      actions: ['iam:PassRole'],
      resources: reach.passedRoleArns,
      conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    },
  ])
}

function roleOf(scope: Construct, id: string, service: string, statements: readonly Statement[]): Role {
  return new Role(scope, id, {
    assumedBy: new ServicePrincipal(service),
    inlinePolicies: { exact: new PolicyDocument({ statements: statements.map(toPolicyStatement) }) },
  })
}
