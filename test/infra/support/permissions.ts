/** Roles of a synthesized stage → what each function may do, and which of it nobody should be able to. */
import { Template } from 'aws-cdk-lib/assertions'
import type { BackstopStage } from '#lib/stacks/index.ts'
import { type Resource, resourcesOf } from './stages.ts'

export interface Grant {
  readonly sid: string
  readonly effect: 'Allow' | 'Deny'
  readonly actions: readonly string[]
  readonly resources: readonly string[]
  readonly conditions: string
}

export interface FunctionGrants {
  /** `gate.query`. */
  readonly name: string
  readonly grants: readonly Grant[]
  /** Anything that adds to the role besides its own statements. */
  readonly others: readonly string[]
}

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])

/** A reference of a template as words: the id of what it points at, and the text around it. */
export function wordsOf(value: unknown): string {
  if (typeof value === 'string') return value
  const [intrinsic, argument] = Object.entries(value as object)[0] ?? ['', '']
  if (intrinsic === 'Fn::Join') return (argument[1] as unknown[]).map(wordsOf).join('')
  if (intrinsic === 'Fn::GetAtt') return `<${(argument as string[]).join('.')}>`
  if (intrinsic === 'Ref') return `<${argument}>`
  if (intrinsic === 'Fn::ImportValue') return `<${wordsOf(argument).replace(/^.*:ExportsOutput(FnGetAtt|Ref)/, '')}>`
  return JSON.stringify(value)
}

function grantOf(statement: Record<string, unknown>): Grant {
  return {
    sid: String(statement['Sid']),
    effect: statement['Effect'] as Grant['effect'],
    actions: asList(statement['Action']).map(String),
    resources: asList(statement['Resource']).map(wordsOf),
    conditions: JSON.stringify(statement['Condition'] ?? {}),
  }
}

function rolesOf(stage: BackstopStage, stack: BackstopStage['gate'] | BackstopStage['recovery']): FunctionGrants[] {
  const roles = Template.fromStack(stack).findResources('AWS::IAM::Role') as Record<string, Resource>
  const policies = resourcesOf(stack, 'AWS::IAM::Policy')
  const prefix = `backstop-${stage.node.id}-`
  return resourcesOf(stack, 'AWS::Lambda::Function')
    .filter(({ Properties }) => String(Properties.FunctionName).startsWith(prefix))
    .map(({ Properties }) => {
      const roleId: string = Properties.Role['Fn::GetAtt'][0]
      const role = roles[roleId]?.Properties
      const statements = role.Policies.flatMap((policy: Resource['Properties']) => policy.PolicyDocument.Statement)
      const added = policies.filter((policy) => JSON.stringify(policy.Properties.Roles).includes(roleId))
      return {
        name: String(Properties.FunctionName).slice(prefix.length).replace('-', '.'),
        grants: statements.map(grantOf),
        others: [
          ...(role.ManagedPolicyArns ?? []).map(wordsOf),
          ...added.map(({ Properties: { PolicyName } }) => PolicyName),
        ],
      }
    })
}

export function grantsOf(stage: BackstopStage): readonly FunctionGrants[] {
  return [...rolesOf(stage, stage.gate), ...rolesOf(stage, stage.recovery)]
}

interface Rule {
  readonly says: string
  /** The grants that break it. */
  readonly broken: (grant: Grant, name: string, all: readonly Grant[]) => boolean
}

const allows = (grant: Grant, action: RegExp, resource = /./) =>
  grant.effect === 'Allow' &&
  grant.actions.some((one) => action.test(one)) &&
  grant.resources.some((one) => resource.test(one))

const not =
  (...names: string[]) =>
  (name: string) =>
    !names.includes(name)
const mayReadTokens = not('gate.authorize', 'gate.administer')
const usesDatabase = not(
  'gate.query',
  'gate.run',
  'gate.inspect',
  'gate.administer',
  'recovery.plan',
  'recovery.capture',
  'recovery.part',
  'recovery.drill',
  'recovery.watch',
)
const isConditional = ({ conditions }: Grant) =>
  conditions.includes('"Null":{"s3:if-none-match":"true"}') &&
  conditions.includes('"s3:ObjectCreationOperation":"true"')
const INTERFACES =
  /^ec2:(Create|Describe|Delete)NetworkInterfaces?$|^ec2:DescribeSubnets$|^ec2:(Una|A)ssignPrivateIpAddresses$/

/** What no change of the function table may bring about. */
export const RULES: readonly Rule[] = [
  {
    says: 'no action is a wildcard',
    broken: ({ actions }) => actions.some((action) => action.includes('*')),
  },
  {
    says: 'nobody deletes a version of an object, or its retention',
    broken: (grant) =>
      allows(grant, /^s3:(Delete(?!Object$)|PutObjectRetention|PutObjectLegalHold|BypassGovernance|Put\w*Lifecycle)/),
  },
  {
    says: 'recovery.retain alone deletes objects, and those of snapshots and sets alone',
    broken: (grant, name) =>
      allows(grant, /^s3:DeleteObject$/) &&
      (name !== 'recovery.retain' ||
        !grant.resources.every((resource) => /^<Snapshots[^>]*>\/(snapshots|sets)\/\*$/.test(resource))),
  },
  {
    says: 'nobody changes a bucket, a table, a queue, a key, a function or a role',
    broken: (grant) =>
      allows(
        grant,
        /^(s3:PutBucket|s3:PutEncryption|dynamodb:(Create|Delete|Update|Restore)(Table|Backup|TimeToLive)|sqs:(Purge|Delete|Set)Queue|kms:(Put|Schedule|Disable|Create|Revoke|Retire)|lambda:|iam:|sts:|cloudformation:)/,
      ),
  },
  {
    says: 'whoever writes objects can only add them',
    broken: (grant, _name, all) =>
      allows(grant, /^s3:PutObject$/) &&
      !grant.resources.every((resource) =>
        all.some(
          (other) =>
            other.effect === 'Deny' &&
            other.actions.includes('s3:PutObject') &&
            other.resources.includes(resource) &&
            isConditional(other),
        ),
      ),
  },
  {
    says: 'gate.seal alone writes into the audit bucket',
    broken: (grant, name) => name !== 'gate.seal' && allows(grant, /^s3:Put/, /<Audit/),
  },
  {
    says: 'nobody writes the policy',
    broken: (grant) => allows(grant, /^s3:(Put|Abort)/, /<Config/),
  },
  {
    says: 'gate.authorize and gate.administer alone read the tokens, and the key that they are encrypted with',
    broken: (grant, name) =>
      mayReadTokens(name) &&
      (allows(grant, /^secretsmanager:/, /<Ref?Tokens|<Tokens/) ||
        (allows(grant, /^kms:/, /<SecretKey/) && name !== 'gate.relay')),
  },
  {
    says: 'gate.relay alone publishes to the topic',
    broken: (grant, name) => name !== 'gate.relay' && allows(grant, /^sns:/),
  },
  {
    says: 'a key is used through the service that holds the data, never directly',
    broken: (grant) => allows(grant, /^kms:/) && !grant.conditions.includes('"kms:ViaService"'),
  },
  {
    says: 'who has no business with the database cannot log in',
    broken: (grant, name) => usesDatabase(name) && allows(grant, /^rds-db:/),
  },
  {
    says: 'the authorizer sees tokens and nothing else',
    broken: (grant, name) => name === 'gate.authorize' && allows(grant, /^(dynamodb|s3|sqs|sns|rds-db):/),
  },
  {
    says: 'every resource is named, apart from network interfaces and traces',
    broken: (grant) =>
      grant.effect === 'Allow' &&
      grant.resources.includes('*') &&
      !grant.actions.every((action) => INTERFACES.test(action) || action.startsWith('xray:Put')),
  },
  {
    says: 'the code of a function has no use of the network interfaces',
    broken: (grant, _name, all) =>
      allows(grant, /^ec2:/) &&
      !all.some(
        (other) =>
          other.effect === 'Deny' &&
          other.conditions.includes('lambda:SourceFunctionArn') &&
          grant.actions.every((action) => other.actions.includes(action)),
      ),
  },
]

/** `<function>: <rule> (<statement>)`, one for each breach. */
export function breachesOf(functions: readonly FunctionGrants[]): readonly string[] {
  return functions.flatMap(({ name, grants, others }) => [
    ...others.map((other) => `${name}: the role has only its own statements (${other})`),
    ...grants.flatMap((grant) =>
      RULES.filter(({ broken }) => broken(grant, name, grants)).map(({ says }) => `${name}: ${says} (${grant.sid})`),
    ),
  ])
}
