/** What a deployment leaves to be done: the tokens, and what an emulator drops without a word. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { LOCAL_REGION } from './run-cdk.ts'

const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' }

interface TemplateQueue {
  readonly Type: string
  readonly Properties?: {
    readonly QueueName?: string
    readonly RedrivePolicy?: {
      readonly deadLetterTargetArn: { readonly 'Fn::GetAtt': readonly [string, string] }
      readonly maxReceiveCount: number
    }
  }
}

interface Redrive {
  readonly queueName: string
  readonly deadLetterName: string
  readonly maxReceiveCount: number
}

function redrivesOf(template: { readonly Resources?: Readonly<Record<string, TemplateQueue>> }): readonly Redrive[] {
  const resources = template.Resources ?? {}
  return Object.values(resources).flatMap(({ Type, Properties }) => {
    const redrive = Properties?.RedrivePolicy
    if (Type !== 'AWS::SQS::Queue' || redrive === undefined) return []
    const deadLetterName = resources[redrive.deadLetterTargetArn['Fn::GetAtt'][0]]?.Properties?.QueueName
    const queueName = Properties?.QueueName
    if (queueName === undefined || deadLetterName === undefined) throw new Error('A queue of the template has no name.')
    return [{ queueName, deadLetterName, maxReceiveCount: redrive.maxReceiveCount }]
  })
}

async function readTemplates(assembly: string): Promise<readonly Redrive[]> {
  const entries = await readdir(assembly, { recursive: true })
  const files = entries.filter((name) => name.endsWith('.template.json'))
  const templates = await Promise.all(files.map((name) => readFile(join(assembly, name), 'utf8')))
  return templates.flatMap((text) => redrivesOf(JSON.parse(text)))
}

/** The emulator ignores the RedrivePolicy of a template, but keeps one that is set afterwards. */
async function setRedrives(sqs: SQSClient, redrives: readonly Redrive[]): Promise<void> {
  for (const { queueName, deadLetterName, maxReceiveCount } of redrives) {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queueName }))
    const dead = await sqs.send(new GetQueueUrlCommand({ QueueName: deadLetterName }))
    const attributes = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: dead.QueueUrl, AttributeNames: ['QueueArn'] }),
    )
    const policy = { deadLetterTargetArn: attributes.Attributes?.['QueueArn'], maxReceiveCount }
    const Attributes = { RedrivePolicy: JSON.stringify(policy) }
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }))
  }
}

export interface Finishing {
  readonly endpoint: string
  /** Folder of the synthesized templates. */
  readonly assembly: string
  readonly tokensSecretId: string
  readonly tokenFile: string
}

/** Throws when a template's queue cannot be found, or no queue at all has a dead-letter queue. */
export async function finishDeployment({ endpoint, assembly, tokensSecretId, tokenFile }: Finishing): Promise<void> {
  const settings = { endpoint, region: LOCAL_REGION, credentials: CREDENTIALS }
  const secrets = new SecretsManagerClient(settings)
  await secrets.send(new PutSecretValueCommand({ SecretId: tokensSecretId, SecretString: tokenFile }))
  const redrives = await readTemplates(assembly)
  if (redrives.length === 0) throw new Error(`No queue in ${assembly} has a dead-letter queue.`)
  await setRedrives(new SQSClient(settings), redrives)
}
