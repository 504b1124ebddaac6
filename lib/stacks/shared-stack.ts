/** What every other stack stands on: keys, the table of records, and the secrets. */
import { CfnOutput, SecretValue, Stack, type StackProps } from 'aws-cdk-lib'
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb'
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import type { Environment } from './config/index.ts'
import { removalOf } from './constructs/removal.ts'

const { STRING } = AttributeType

export class SharedStack extends Stack {
  readonly dataKey: Key
  readonly messageKey: Key
  readonly secretKey: Key
  readonly table: Table
  readonly tokens: Secret
  readonly webhooks: Secret | undefined

  constructor(scope: Construct, environment: Environment, props: StackProps) {
    super(scope, 'shared', props)
    this.dataKey = this.#createKey('DataKey', environment, 'records, recovery points, audit, config')
    this.messageKey = this.#createKey('MessageKey', environment, 'alerts and queues')
    this.secretKey = this.#createKey('SecretKey', environment, 'tokens and webhooks')
    // Alarms and schedules write into encrypted topics and queues; neither service sends a source in the key's context.
    for (const service of ['cloudwatch.amazonaws.com', 'events.amazonaws.com']) {
      this.messageKey.grantEncryptDecrypt(new ServicePrincipal(service))
    }
    this.table = this.#createTable(environment)
    this.tokens = this.#createSecret('Tokens', environment, 'tokens of agents and operators', '[]')
    this.webhooks = environment.alerts.webhooks
      ? this.#createSecret('Webhooks', environment, 'webhooks and the key that signs alerts', '{"webhooks":[]}')
      : undefined
    new CfnOutput(this, 'TableName', { value: this.table.tableName })
    new CfnOutput(this, 'TokensSecretName', { value: secretName('tokens', environment) })
    if (this.webhooks !== undefined)
      new CfnOutput(this, 'WebhookSecretName', { value: secretName('webhooks', environment) })
  }

  #createKey(id: string, environment: Environment, what: string): Key {
    return new Key(this, id, {
      alias: `alias/backstop-${environment.name}-${id.replace('Key', '').toLowerCase()}`,
      description: `Backstop ${environment.name}: ${what}`,
      enableKeyRotation: true,
      removalPolicy: removalOf(environment),
    })
  }

  #createTable(environment: Environment): Table {
    const table = new Table(this, 'Records', {
      partitionKey: { name: 'pk', type: STRING },
      sortKey: { name: 'sk', type: STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.dataKey,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      timeToLiveAttribute: 'expiresAtS',
      deletionProtection: environment.onDelete === 'retain',
      removalPolicy: removalOf(environment),
    })
    for (const indexName of ['index1', 'index2']) {
      table.addGlobalSecondaryIndex({
        indexName,
        partitionKey: { name: `${indexName}pk`, type: STRING },
        sortKey: { name: `${indexName}sk`, type: STRING },
        projectionType: ProjectionType.ALL,
      })
    }
    return table
  }

  /** CloudFormation writes `initial` once; what an operator puts there later stays. */
  #createSecret(id: string, environment: Environment, what: string, initial: string): Secret {
    return new Secret(this, id, {
      secretName: secretName(id.toLowerCase(), environment),
      description: `Backstop ${environment.name}: ${what}`,
      encryptionKey: this.secretKey,
      secretStringValue: SecretValue.unsafePlainText(initial),
      removalPolicy: removalOf(environment),
    })
  }
}

function secretName(what: string, environment: Environment): string {
  return `backstop/${environment.name}/${what}`
}
