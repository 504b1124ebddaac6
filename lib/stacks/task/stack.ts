/** Captures that outlast a function: a queue of orders, and a container without a server that carries out one of them. */
import { join } from 'node:path'
import { Duration, Stack, type StackProps } from 'aws-cdk-lib'
import {
  Cluster,
  ContainerImage,
  ContainerInsights,
  CpuArchitecture,
  FargateTaskDefinition,
  LogDriver,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { CfnPipe } from 'aws-cdk-lib/aws-pipes'
import { Asset } from 'aws-cdk-lib/aws-s3-assets'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import type { Environment } from '../config/index.ts'
import { removalOf } from '../constructs/removal.ts'
import { environmentOf, type FunctionMakerProps, type VpcPlacement } from '../functions/index.ts'
import { TASK_BUNDLE, taskQueueName } from './places.ts'
import { CAPTURE_ROW, createAgentRole, createPipeRole, createTaskRole } from './roles.ts'
import { START_SCRIPT } from './start.ts'

type CaptureTask = NonNullable<Environment['captureTask']>

const CONTAINER = 'capture'
const NODE = '/var/lang/bin/node'
const SCRATCH = { name: 'scratch', path: '/tmp' }
/** The pipe only starts the task; what the task does with the order is in the records. */
const MAX_RECEIVES = 5
const KEEP_DEAD_DAYS = 14

export interface TaskStackProps extends StackProps {
  readonly functions: FunctionMakerProps
  readonly messageKey: IKey
  readonly network: VpcPlacement
}

export class TaskStack extends Stack {
  readonly queueName: string
  readonly deadName: string

  constructor(scope: Construct, settings: CaptureTask, props: TaskStackProps) {
    super(scope, 'task', props)
    const { environment } = props.functions
    this.queueName = taskQueueName(environment)
    this.deadName = this.queueName.replace('.fifo', '-dead.fifo')
    const queue = this.#createQueue(props.messageKey)
    const cluster = new Cluster(this, 'Cluster', {
      vpc: props.network.vpc,
      clusterName: `backstop-${environment.name}`,
      containerInsightsV2: ContainerInsights.ENABLED,
    })
    const definition = this.#createDefinition(settings, props.functions)
    this.#createPipe(settings, { queue, cluster, definition, ...props })
  }

  #createQueue(encryptionMasterKey: IKey): Queue {
    const common = { encryption: QueueEncryption.KMS, encryptionMasterKey, enforceSSL: true, fifo: true }
    const dead = new Queue(this, 'OrdersDead', {
      ...common,
      queueName: this.deadName,
      retentionPeriod: Duration.days(KEEP_DEAD_DAYS),
    })
    return new Queue(this, 'Orders', {
      ...common,
      queueName: this.queueName,
      visibilityTimeout: Duration.minutes(2),
      deadLetterQueue: { queue: dead, maxReceiveCount: MAX_RECEIVES },
    })
  }

  #createDefinition(settings: CaptureTask, functions: FunctionMakerProps): FargateTaskDefinition {
    const { environment, places, bundles } = functions
    const bundle = new Asset(this, 'Bundle', { path: join(bundles, TASK_BUNDLE, 'index.mjs') })
    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/backstop/${environment.name}/capture-task`,
      retention: environment.logKeepDays,
      removalPolicy: removalOf(environment),
    })
    const definition = new FargateTaskDefinition(this, 'Task', {
      family: `backstop-${environment.name}-capture`,
      cpu: settings.cpu,
      memoryLimitMiB: settings.memoryMib,
      runtimePlatform: { cpuArchitecture: CpuArchitecture.ARM64, operatingSystemFamily: OperatingSystemFamily.LINUX },
      // What the roles may do is written in one place; constructs that would add to them are held off.
      taskRole: createTaskRole(
        this,
        functions,
        `${bundle.bucket.bucketArn}/${bundle.s3ObjectKey}`,
      ).withoutPolicyUpdates(),
      executionRole: createAgentRole(
        this,
        logGroup.logGroupArn,
        settings.image,
        places.partition,
      ).withoutPolicyUpdates(),
      volumes: [{ name: SCRATCH.name }],
    })
    const container = definition.addContainer(CONTAINER, {
      image: ContainerImage.fromRegistry(settings.image),
      entryPoint: [NODE],
      command: ['-e', START_SCRIPT],
      environment: {
        ...environmentOf({ ...CAPTURE_ROW, trigger: { kind: 'every-minute' } }, environment, places),
        BACKSTOP_TASK_BUNDLE: `${bundle.s3BucketName}/${bundle.s3ObjectKey}`,
      },
      logging: LogDriver.awsLogs({ logGroup, streamPrefix: CONTAINER }),
      readonlyRootFilesystem: true,
    })
    container.addMountPoints({ sourceVolume: SCRATCH.name, containerPath: SCRATCH.path, readOnly: false })
    return definition
  }

  #createPipe(settings: CaptureTask, parts: PipeParts): void {
    const { queue, cluster, definition, network, messageKey } = parts
    const role = createPipeRole(this, {
      queueArn: queue.queueArn,
      messageKeyArn: messageKey.keyArn,
      clusterArn: cluster.clusterArn,
      taskDefinitionArn: definition.taskDefinitionArn,
      passedRoleArns: [definition.taskRole.roleArn, definition.obtainExecutionRole().roleArn],
    })
    // The order is text within the message: what a pipe takes out of one for a variable has to be.
    const order = { name: 'BACKSTOP_CAPTURE_ORDER', value: '$.body.body.order' }
    new CfnPipe(this, 'Pipe', {
      name: `backstop-${this.node.scope?.node.id}-capture-task`,
      description: 'One task for each order',
      roleArn: role.roleArn,
      source: queue.queueArn,
      sourceParameters: { sqsQueueParameters: { batchSize: 1 } },
      target: cluster.clusterArn,
      targetParameters: {
        ecsTaskParameters: {
          taskDefinitionArn: definition.taskDefinitionArn,
          taskCount: 1,
          launchType: 'FARGATE',
          networkConfiguration: {
            awsvpcConfiguration: {
              subnets: network.subnets.map(({ subnetId }) => subnetId),
              securityGroups: [network.securityGroup.securityGroupId],
              assignPublicIp: settings.assignPublicIp ? 'ENABLED' : 'DISABLED',
            },
          },
          overrides: { containerOverrides: [{ name: CONTAINER, environment: [order] }] },
        },
      },
    })
  }
}

interface PipeParts {
  readonly queue: Queue
  readonly cluster: Cluster
  readonly definition: FargateTaskDefinition
  readonly network: VpcPlacement
  readonly messageKey: IKey
}
