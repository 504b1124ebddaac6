/** One environment of Backstop: its stacks, from the keys up to the alarms. */
import { Stage, Tags } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import type { Environment } from './config/index.ts'
import type { PolicyDocumentFile } from './constructs/policy-upload.ts'
import { FUNCTIONS, type Places, physicalName } from './functions/index.ts'
import { GateStack } from './gate-stack.ts'
import { MessagingStack } from './messaging-stack.ts'
import { NetworkStack } from './network-stack.ts'
import type { Watched } from './observability/index.ts'
import { ObservabilityStack } from './observability-stack.ts'
import { PartStack } from './part-stack.ts'
import { SharedStack } from './shared-stack.ts'
import { StorageStack } from './storage-stack.ts'
import { TaskStack, type TaskStackProps, taskQueuePlace } from './task/index.ts'

export interface BackstopStageProps {
  readonly environment: Environment
  /** Folder that holds `<part>-<verb>/index.mjs` for each function. */
  readonly bundles: string
  readonly policy?: PolicyDocumentFile | undefined
}

export class BackstopStage extends Stage {
  readonly shared: SharedStack
  readonly storage: StorageStack
  readonly messaging: MessagingStack
  readonly network: NetworkStack | undefined
  readonly gate: GateStack
  readonly recovery: PartStack
  /** Undefined where the environment has no `captureTask`. */
  readonly task: TaskStack | undefined
  readonly observability: ObservabilityStack

  constructor(scope: Construct, props: BackstopStageProps) {
    const { environment } = props
    const { name, account, region } = environment
    super(scope, name, { env: { ...(account && { account }), ...(region && { region }) } })
    const stack = (part: string) => ({
      stackName: `backstop-${name}-${part}`,
      description: `Backstop ${name}: ${part}`,
      terminationProtection: environment.onDelete === 'retain',
    })
    this.shared = new SharedStack(this, environment, stack('shared'))
    const { shared } = this
    this.storage = new StorageStack(this, environment, { ...stack('storage'), shared, policy: props.policy })
    this.messaging = new MessagingStack(this, environment, { ...stack('messaging'), shared })
    this.network = environment.network && new NetworkStack(this, environment, environment.network, stack('network'))
    const functions = { environment, places: this.#places(environment), bundles: props.bundles, vpc: this.network }
    const part = { functions, messageKey: shared.messageKey }
    this.gate = new GateStack(this, { ...stack('gate'), ...part })
    this.recovery = new PartStack(this, 'recovery', { ...stack('recovery'), ...part })
    this.task = this.#createTask(environment, { ...stack('task'), ...part })
    this.observability = new ObservabilityStack(this, {
      ...stack('observability'),
      watched: this.#watched(environment),
      topic: this.messaging.topic,
    })
    for (const [key, value] of Object.entries({ product: 'backstop', environment: name, ...environment.tags })) {
      Tags.of(this).add(key, value)
    }
  }

  #createTask({ captureTask }: Environment, props: Omit<TaskStackProps, 'network'>): TaskStack | undefined {
    if (captureTask === undefined || this.network === undefined) return undefined
    return new TaskStack(this, captureTask, { ...props, network: this.network })
  }

  #places(environment: Environment): Places {
    const { shared, storage, messaging } = this
    const bucket = (of: { readonly bucketName: string; readonly bucketArn: string }) => ({
      name: of.bucketName,
      arn: of.bucketArn,
    })
    const queue = (name: keyof MessagingStack['work']) => {
      const { queueArn, queueUrl } = messaging.work[name].queue
      return { arn: queueArn, url: queueUrl }
    }
    const taskQueue = taskQueuePlace(environment, shared)
    return {
      region: shared.region,
      account: shared.account,
      partition: shared.partition,
      keys: { data: shared.dataKey.keyArn, messages: shared.messageKey.keyArn, secrets: shared.secretKey.keyArn },
      table: { name: shared.table.tableName, arn: shared.table.tableArn },
      snapshots: bucket(storage.snapshots),
      audit: bucket(storage.audit),
      config: bucket(storage.config),
      tokensSecretArn: shared.tokens.secretArn,
      ...(shared.webhooks !== undefined && { webhookSecretArn: shared.webhooks.secretArn }),
      topicArn: messaging.topic.topicArn,
      ...(taskQueue !== undefined && { taskQueue }),
      queues: { run: queue('run'), capture: queue('capture'), part: queue('part'), alert: queue('alert') },
    }
  }

  /** By names, not by references: an alarm then never holds back a change of what it watches. */
  #watched(environment: Environment): Watched {
    const { gate, recovery, messaging, task } = this
    const work = Object.entries(messaging.work)
    return {
      environment: environment.name,
      tableName: this.shared.table.tableName,
      api: gate.api.metrics,
      functions: FUNCTIONS.map((row) => ({ name: row.name, physicalName: physicalName(environment, row) })),
      workQueues: work.map(([name, { queueName }]) => ({ name, queueName })),
      deadQueues: [
        ...work.map(([name, { deadName }]) => ({ name, queueName: deadName })),
        { name: 'gate-schedule', queueName: gate.deadName },
        { name: 'recovery-schedule', queueName: recovery.deadName },
        ...(task === undefined ? [] : [{ name: 'capture-task', queueName: task.deadName }]),
      ],
    }
  }
}
