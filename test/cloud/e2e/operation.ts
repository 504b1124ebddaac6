/** What only the cloud shape has: schedules, queues, the topic, several instances on one table. */
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import { CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { describe, expect, inject, it } from 'vitest'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { openCloudGateway } from '#test/support/cloud/gateway.ts'
import { eventually } from '#test/support/eventually.ts'
import { AGENT_ROLE } from '../../../localstack/demo-data.ts'
import { outputOf } from '../../../localstack/deploy.ts'

export function operation(): void {
  const deployed = inject('deployed')
  const { endpoint, database } = inject('deployedOn')
  const settings = { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } }
  const gateway = openCloudGateway(deployed)

  describe('two approvers at once', () => {
    it('has one winner in each of 15 rounds, and tells the other who won', async () => {
      for (let round = 0; round < 15; round++) {
        const held = await gateway.execute(`UPDATE warehouses SET city = 'x${round}'`)
        expect(held.status, held.message).toBe('approval_required')
        const decide = (verb: string) => gateway.send('operator', 'POST', `/${verb}/${held.approval_id}`, {})
        const answers = await Promise.all([decide('approve'), decide('deny')])
        expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
        const won = answers.find(({ status }) => status === 200)?.body as { readonly status: string }
        const lost = answers.find(({ status }) => status === 409)?.body as { readonly status: string }
        expect(lost.status).toBe(won.status)
      }
    })
  })

  describe('an approved write', () => {
    let undoneLater: string | undefined
    it('runs once in the executor, however often and at once it is collected', async () => {
      const query = "UPDATE warehouses SET city = city || '!'"
      const held = await gateway.execute(query)
      await gateway.send('operator', 'POST', `/approve/${held.approval_id}`, {})
      const collect = () => gateway.execute(query, { approval_id: held.approval_id })
      const collected = await Promise.all([collect(), collect(), collect()])
      let last = await collect()
      await eventually(
        async () => {
          last = await collect()
          return last.status !== 'executing'
        },
        { timeoutMs: 60_000, everyMs: 500, what: 'an answer of the executor' },
      )
      expect(last).toMatchObject({ status: 'executed' })
      for (const { status } of collected) expect(['executed', 'executing']).toContain(status)
      const { rows } = await gateway.execute("SELECT city FROM warehouses WHERE city LIKE '%!'")
      expect(rows).toHaveLength(5)
      expect(rows?.every(({ city }) => !String(city).includes('!!'))).toBe(true)
      expect(last.undo).toMatchObject({ available: true, row_count: 5 })
      undoneLater = last.undo?.audit_id
    })

    it('that runs at once within the request can be set back as well', async () => {
      const answer = await gateway.execute("UPDATE warehouses SET city = 'Harburg' WHERE code = 'HAM'")
      expect(answer, answer.message).toMatchObject({ status: 'executed', undo: { available: true, row_count: 1 } })
      expect((await gateway.send('admin', 'POST', `/undo/${answer.undo?.audit_id}`, {})).status).toBe(200)
      const { rows } = await gateway.execute("SELECT count(*)::int AS n FROM warehouses WHERE city = 'Harburg'")
      expect(rows).toEqual([{ n: 0 }])
    })

    it('is set back by its audit id, once', async () => {
      const path = `/undo/${undoneLater}`
      expect((await gateway.send('operator', 'POST', path, {})).status).toBe(403)
      const shown = await gateway.send('admin', 'GET', path)
      expect([shown.status, JSON.stringify(shown.body)]).toEqual([200, expect.stringContaining('warehouses')])
      const undone = await gateway.send('admin', 'POST', path, {})
      expect(undone.status, JSON.stringify(undone.body)).toBe(200)
      const { rows } = await gateway.execute("SELECT city FROM warehouses WHERE city LIKE '%!'")
      expect(rows).toEqual([])
      expect((await gateway.send('admin', 'POST', path, {})).status).toBe(409)
    })
  })

  describe('alerts', () => {
    it('reach a subscriber of the topic', async () => {
      const sqs = new SQSClient(settings)
      const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'a-subscriber' }))
      const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }))
      const subscription = {
        TopicArn: outputOf(deployed.outputs, 'AlertTopicArn'),
        Protocol: 'sqs',
        Endpoint: Attributes?.['QueueArn'],
      }
      await new SNSClient(settings).send(new SubscribeCommand(subscription))
      const held = await gateway.execute('DELETE FROM order_items')
      expect(held.status, held.message).toBe('approval_required')
      const seen: string[] = []
      await eventually(
        async () => {
          const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
          seen.push(...Messages.map(({ Body = '' }) => Body))
          return seen.some((body) => body.includes(held.approval_id ?? 'none'))
        },
        { timeoutMs: 60_000, everyMs: 500, what: `the alert of ${held.approval_id}` },
      )
      expect(seen.join()).not.toContain('DELETE FROM')
    })
  })

  describe('what the clock starts once a day', () => {
    const invoke = async (name: string) => {
      const path = `/2015-03-31/functions/backstop-local-${name}/invocations`
      const event = JSON.stringify({ id: `a-day-${name}`, source: 'aws.events' })
      const response = await fetch(`${endpoint}${path}`, { method: 'POST', body: event })
      expect([response.status, response.headers.get('x-amz-function-error')]).toEqual([200, null])
    }
    const s3 = new S3Client({ ...settings, forcePathStyle: true })
    const Bucket = outputOf(deployed.outputs, 'SnapshotBucketName')

    it('runs each drill that a function can, and keeps the evidence of all of them', async () => {
      const list = async () => {
        const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'drills/2' }))
        return Contents.map(({ Key }) => Key)
      }
      // The clock itself may have started them before.
      const before = await list()
      await invoke('recovery-drill')
      const found = await Promise.all(
        (await list())
          .filter((Key) => !before.includes(Key))
          .map(async (Key) => {
            const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
            const { kind, result, failure } = JSON.parse((await Body?.transformToString()) ?? '')
            return { kind, result, failure }
          }),
      )
      expect(found.toSorted((left, right) => String(left.kind).localeCompare(String(right.kind)))).toEqual([
        { kind: 'logical-backup-restore', result: 'skipped', failure: null },
        { kind: 'pitr-prepare', result: 'ok', failure: null },
        { kind: 'pitr-restore', result: 'skipped', failure: null },
        { kind: 'table-restore', result: 'ok', failure: null },
        { kind: 'wal-archive-fetch', result: 'ok', failure: null },
      ])
    })

    it('reads what is stored again, and sets a damaged point aside', async () => {
      const list = () => gateway.send('ops', 'GET', '/metadata/snapshots?table=warehouses')
      const [newest] = (await list()).body as readonly { readonly snapshot_id: string; readonly status: string }[]
      expect(newest?.status).toBe('valid')
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'snapshots/' }))
      const part = Contents.find(({ Key = '' }) => Key.includes(newest?.snapshot_id ?? '?') && Key.endsWith('.parquet'))
      await s3.send(new PutObjectCommand({ Bucket, Key: part?.Key, Body: Buffer.alloc(part?.Size ?? 0, 'x') }))
      await invoke('recovery-verify')
      const after = (await list()).body as readonly { readonly snapshot_id: string; readonly status: string }[]
      expect(after.find(({ snapshot_id: id }) => id === newest?.snapshot_id)?.status).toBe('quarantined')
    })
  })

  describe('an agent that goes around the gateway', () => {
    it('is seen within a minute or so, and told of', async () => {
      const sqs = new SQSClient(settings)
      const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'a-guard' }))
      const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }))
      const TopicArn = outputOf(deployed.outputs, 'AlertTopicArn')
      await new SNSClient(settings).send(
        new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: Attributes?.['QueueArn'] }),
      )
      const owner = openPostgres({ url: database.url, maxConnections: 1 })
      const login = new URL(database.url)
      login.username = AGENT_ROLE
      login.password = 'around'
      await owner.withSession((session) => session.execute(`ALTER ROLE ${AGENT_ROLE} LOGIN PASSWORD 'around'`))
      const around = openPostgres({ url: login.href, maxConnections: 1 })
      try {
        await around.withDedicatedSession(async (session) => {
          await session.query('SELECT 1')
          const seen: string[] = []
          await eventually(
            async () => {
              const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
              seen.push(...Messages.map(({ Body = '' }) => Body))
              return seen.some((body) => body.includes('gateway_bypass_detected'))
            },
            { timeoutMs: 180_000, everyMs: 1_000, what: 'the alert of a direct session' },
          )
        })
      } finally {
        await around.close()
        await owner.withSession((session) => session.execute(`ALTER ROLE ${AGENT_ROLE} NOLOGIN PASSWORD NULL`))
        await owner.close()
      }
    })
  })

  describe('the emergency pause', () => {
    it('stops the very next writes, and reads go on', async () => {
      const paused = await gateway.send('admin', 'POST', '/admin/pause', { reason: 'exercise' })
      expect(paused).toMatchObject({ status: 200, body: { status: 'emergency_paused' } })
      try {
        const writes = await Promise.all(
          Array.from({ length: 4 }, () => gateway.execute("INSERT INTO warehouses VALUES ('NEW', 'Nowhere')")),
        )
        expect(writes.map(({ status }) => status)).toEqual(Array(4).fill('blocked'))
        expect((await gateway.execute('SELECT 1')).status).toBe('executed')
      } finally {
        await gateway.send('admin', 'POST', '/admin/resume', { reason: 'the exercise is over' })
      }
    })
  })

  describe('schedules', () => {
    it('seal the ledger into the audit bucket', async () => {
      const s3 = new S3Client({ ...settings, forcePathStyle: true })
      const list = () => s3.send(new ListObjectsV2Command({ Bucket: outputOf(deployed.outputs, 'AuditBucketName') }))
      await eventually(async () => ((await list()).KeyCount ?? 0) > 0, {
        timeoutMs: 180_000,
        everyMs: 1_000,
        what: 'a sealed segment',
      })
    })

    it('keep the heartbeat young', async () => {
      const young = async () => {
        const { body } = await gateway.send('ops', 'GET', '/metadata/health')
        const { sidecar_status: status, sidecar_heartbeat_age_seconds: age } = body as Record<string, unknown>
        return status === 'healthy' && Number(age) < 120
      }
      await eventually(young, { timeoutMs: 180_000, everyMs: 1_000, what: 'a young heartbeat' })
    })
  })
}
