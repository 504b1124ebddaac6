/** A row of the function table → a Lambda function with its own role, log group and bounds. */
import { join } from 'node:path'
import { Duration } from 'aws-cdk-lib'
import type { ISecurityGroup, ISubnet, IVpc } from 'aws-cdk-lib/aws-ec2'
import { Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, Code, Function as LambdaFunction, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { Environment } from '../config/index.ts'
import { removalOf } from '../constructs/removal.ts'
import { environmentOf, permissionsOf } from './environment.ts'
import type { FunctionRow } from './model.ts'
import type { Places } from './places.ts'
import { platformStatements } from './platform.ts'
import { type Statement, statementsOf } from './statements.ts'

export interface FunctionMakerProps {
  readonly environment: Environment
  readonly places: Places
  /** Folder that holds `<part>-<verb>/index.mjs` for each function. */
  readonly bundles: string
  readonly vpc?: VpcPlacement | undefined
}

export interface VpcPlacement {
  readonly vpc: IVpc
  readonly subnets: readonly ISubnet[]
  readonly securityGroup: ISecurityGroup
}

export type FunctionMaker = (scope: Construct, row: FunctionRow) => LambdaFunction

/** Whether it needs the database, and so the database's VPC. */
function needsDatabase(row: FunctionRow): boolean {
  return row.permissions.includes('database:connect')
}

export function toPolicyStatement(statement: Statement): PolicyStatement {
  return new PolicyStatement({
    sid: statement.sid,
    effect: statement.effect === 'Deny' ? Effect.DENY : Effect.ALLOW,
    actions: [...statement.actions],
    resources: [...statement.resources],
    ...(statement.conditions !== undefined && { conditions: statement.conditions }),
  })
}

function createRole(scope: Construct, row: FunctionRow, props: FunctionMakerProps, logGroup: LogGroup): Role {
  const { environment, places } = props
  const isInVpc = props.vpc !== undefined && needsDatabase(row)
  const statements = [
    ...platformStatements(physicalName(environment, row), logGroup.logGroupArn, places, isInVpc),
    ...statementsOf(permissionsOf(row), places, environment),
  ]
  return new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: `Backstop ${environment.name}: ${row.name} ${row.does}`,
    inlinePolicies: { exact: new PolicyDocument({ statements: statements.map(toPolicyStatement) }) },
  })
}

export function physicalName(environment: Environment, row: FunctionRow): string {
  return `backstop-${environment.name}-${folderOf(row)}`
}

/** `gate.query` → `gate-query`. */
export function folderOf(row: FunctionRow): string {
  return row.name.replace('.', '-')
}

function boundsOf(row: FunctionRow, { concurrency }: Environment): { reservedConcurrentExecutions?: number } {
  if (row.bounded === undefined || !concurrency.isReserved) return {}
  return { reservedConcurrentExecutions: concurrency[row.bounded] }
}

export function createFunctionMaker(props: FunctionMakerProps): FunctionMaker {
  const { environment, places, vpc } = props
  return (scope, row) => {
    const functionName = physicalName(environment, row)
    const logGroup = new LogGroup(scope, 'Log', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: environment.logKeepDays,
      removalPolicy: removalOf(environment),
    })
    return new LambdaFunction(scope, 'Function', {
      functionName,
      description: `Backstop: ${row.does}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: Code.fromAsset(join(props.bundles, folderOf(row))),
      timeout: Duration.seconds(row.timeoutS),
      memorySize: row.memoryMib,
      environment: environmentOf(row, environment, places),
      // What the role may do is written in one place; constructs that would add to it are held off.
      role: createRole(scope, row, props, logGroup).withoutPolicyUpdates(),
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.ACTIVE,
      ...boundsOf(row, environment),
      ...(vpc !== undefined &&
        needsDatabase(row) && {
          vpc: vpc.vpc,
          vpcSubnets: { subnets: [...vpc.subnets] },
          securityGroups: [vpc.securityGroup],
        }),
    })
  }
}
