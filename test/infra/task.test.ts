import { describe, expect, test } from 'vitest'
import { FUNCTIONS, parseEnvironment } from '#lib/stacks/index.ts'
import { START_SCRIPT } from '#lib/stacks/task/index.ts'
import { wordsOf } from './support/permissions.ts'
import { EXAMPLES, resourcesOf, SHAPES, stageOf } from './support/stages.ts'

const stage = stageOf(EXAMPLES.prod)
const task = stage.task ?? expect.fail('prod has a task')
const one = (type: string, of = task) => resourcesOf(of, type)[0]?.Properties ?? expect.fail(`no ${type}`)

function statementsOf(id: string) {
  const roles = resourcesOf(task, 'AWS::IAM::Role')
  const found = roles.find(({ Properties }) =>
    Properties.Policies[0].PolicyDocument.Statement.some(({ Sid }: { Sid: string }) => Sid === id),
  )
  return found?.Properties.Policies[0].PolicyDocument.Statement as { Sid: string; Action: string | string[] }[]
}

describe('captures that outlast a function', () => {
  test('are taken by a container that cannot write to its image, runs on one order, and logs', () => {
    const definition = one('AWS::ECS::TaskDefinition')
    expect(definition).toMatchObject({
      RequiresCompatibilities: ['FARGATE'],
      NetworkMode: 'awsvpc',
      Cpu: '2048',
      Memory: '4096',
      RuntimePlatform: { CpuArchitecture: 'ARM64' },
    })
    const [container] = definition.ContainerDefinitions
    expect(container).toMatchObject({
      EntryPoint: ['/var/lang/bin/node'],
      Command: ['-e', START_SCRIPT],
      ReadonlyRootFilesystem: true,
      LogConfiguration: { LogDriver: 'awslogs' },
      MountPoints: [{ ContainerPath: '/tmp', ReadOnly: false }],
    })
  })

  test('know what the function knows, and their bundle, and no secret', () => {
    const [container] = one('AWS::ECS::TaskDefinition').ContainerDefinitions
    const names = container.Environment.map(({ Name }: { Name: string }) => Name)
    const capture = resourcesOf(stage.recovery, 'AWS::Lambda::Function').find(
      ({ Properties }) => Properties.FunctionName === 'backstop-prod-recovery-capture',
    )
    const ofFunction = Object.keys(capture?.Properties.Environment.Variables).filter(
      (name) => name !== 'BACKSTOP_CAPTURE_QUEUE_URL',
    )
    expect(names.toSorted()).toEqual([...ofFunction, 'BACKSTOP_TASK_BUNDLE'].toSorted())
    expect(ofFunction.length).toBeGreaterThan(8)
  })

  test('may do what the function may, without its queue, and read one object more', () => {
    const capture = resourcesOf(stage.recovery, 'AWS::IAM::Role').find(({ Properties }) =>
      String(Properties.Description).includes('recovery.capture'),
    )
    const ofFunction = capture?.Properties.Policies[0].PolicyDocument.Statement.map(({ Sid }: { Sid: string }) => Sid)
    const platform = ['Log', 'Trace', 'NetworkInterfaces', 'NetworkInterfacesNotByCode', 'Receivecapture']
    const sids = statementsOf('ReadBundle').map(({ Sid }) => Sid)
    for (const sid of ofFunction) if (!platform.includes(sid) && !sid.startsWith('UseKey')) expect(sids).toContain(sid)
    expect(sids.filter((sid) => !ofFunction.includes(sid))).toEqual(['ReadBundle'])
  })

  test('get their orders from a queue that is encrypted, keeps its order, and puts aside what no task can be started for', () => {
    const [queue, dead] = ['backstop-prod-capture-task.fifo', 'backstop-prod-capture-task-dead.fifo'].map((name) =>
      resourcesOf(task, 'AWS::SQS::Queue').find(({ Properties }) => Properties.QueueName === name),
    )
    expect(queue?.Properties).toMatchObject({ FifoQueue: true, RedrivePolicy: { maxReceiveCount: 5 } })
    expect(queue?.Properties.KmsMasterKeyId).toBeDefined()
    expect(dead?.Properties.KmsMasterKeyId).toBeDefined()
  })

  test('are started one for an order, in the subnets of the database, without a public address', () => {
    const pipe = one('AWS::Pipes::Pipe')
    expect(pipe.SourceParameters).toEqual({ SqsQueueParameters: { BatchSize: 1 } })
    expect(pipe.TargetParameters.EcsTaskParameters).toMatchObject({
      LaunchType: 'FARGATE',
      TaskCount: 1,
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } },
      Overrides: {
        ContainerOverrides: [
          { Name: 'capture', Environment: [{ Name: 'BACKSTOP_CAPTURE_ORDER', Value: '$.body.body.order' }] },
        ],
      },
    })
    expect(pipe.TargetParameters.EcsTaskParameters.NetworkConfiguration.AwsvpcConfiguration.Subnets).toHaveLength(3)
  })

  test('are started by a pipe that may start this task alone, with these roles alone', () => {
    const statements = statementsOf('RunTask')
    expect(statements.map(({ Sid, Action }) => [Sid, Action])).toEqual([
      ['ReceiveOrders', ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']],
      ['ReadOrders', 'kms:Decrypt'],
      ['RunTask', 'ecs:RunTask'],
      ['PassRoles', 'iam:PassRole'],
    ])
    expect(JSON.stringify(statements)).toContain('"iam:PassedToService":"ecs-tasks.amazonaws.com"')
    expect(JSON.stringify(statements)).not.toContain('"*"')
  })

  test('pull an image of an own registry by its name, and need no registry right for a public one', () => {
    expect(statementsOf('PullImage').map(({ Sid }) => Sid)).toEqual(['Log', 'RegistryToken', 'PullImage'])
    const open = stageOf({ ...EXAMPLES.prod, name: 'public', captureTask: {} }).task ?? expect.fail()
    expect(JSON.stringify(resourcesOf(open, 'AWS::IAM::Role'))).not.toContain('ecr:')
    expect(one('AWS::ECS::TaskDefinition', open).ContainerDefinitions[0].Image).toBe('public.ecr.aws/lambda/nodejs:24')
  })

  test('are ordered by the plan: it is told the queue and the size, and may send there', () => {
    const plan = resourcesOf(stage.recovery, 'AWS::Lambda::Function').find(
      ({ Properties }) => Properties.FunctionName === 'backstop-prod-recovery-plan',
    )
    expect(plan?.Properties.Environment.Variables).toMatchObject({ BACKSTOP_TASK_ABOVE_MEGABYTES: '20000' })
    expect(wordsOf(plan?.Properties.Environment.Variables.BACKSTOP_TASK_QUEUE_URL)).toContain(
      'backstop-prod-capture-task.fifo',
    )
  })

  test('do not exist where nobody asked for them: no stack, no right, no variable', () => {
    const bare = stageOf(SHAPES['dev'] ?? expect.fail())
    expect(bare.task).toBeUndefined()
    expect(JSON.stringify(resourcesOf(bare.recovery, 'AWS::IAM::Role'))).not.toContain('capture-task')
    expect(JSON.stringify(resourcesOf(bare.recovery, 'AWS::Lambda::Function'))).not.toContain('BACKSTOP_TASK_')
    expect(FUNCTIONS.length).toBeGreaterThan(10)
  })

  test('need the network of a database', () => {
    const { network: _, ...rest } = EXAMPLES.prod
    expect(() => parseEnvironment(rest, 'a test')).toThrow(/captureTask: needs "network"/)
  })
})
