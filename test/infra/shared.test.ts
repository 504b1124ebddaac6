import { describe, expect, test } from 'vitest'
import { resourcesOf, SHAPES, stageOf } from './support/stages.ts'

const prod = stageOf(SHAPES['prod'] ?? expect.fail())
const dev = stageOf(SHAPES['dev'] ?? expect.fail())
const only = <T>(list: readonly T[]): T => {
  expect(list).toHaveLength(1)
  return list[0] as T
}

describe('keys', () => {
  test('three, each rotated every year', () => {
    const keys = resourcesOf(prod.shared, 'AWS::KMS::Key')
    expect(keys).toHaveLength(3)
    for (const key of keys) expect(key.Properties.EnableKeyRotation).toBe(true)
  })

  test('alarms and schedules may use the one for messages, so that encrypted alerts are delivered', () => {
    const users = resourcesOf(prod.shared, 'AWS::KMS::Key').map(({ Properties }) =>
      Properties.KeyPolicy.Statement.map((one: { Principal: { Service?: string } }) => one.Principal.Service).filter(
        (service: string | undefined) => service !== undefined,
      ),
    )
    expect(users.sort()).toEqual([[], [], ['cloudwatch.amazonaws.com', 'events.amazonaws.com']])
  })

  test('are kept in production and go in a trial', () => {
    for (const key of resourcesOf(prod.shared, 'AWS::KMS::Key')) expect(key.DeletionPolicy).toBe('Retain')
    for (const key of resourcesOf(dev.shared, 'AWS::KMS::Key')) expect(key.DeletionPolicy).toBe('Delete')
  })
})

describe('the table of records', () => {
  const table = only(resourcesOf(prod.shared, 'AWS::DynamoDB::Table'))

  test('has the keys, indexes and expiry that the adapter uses', () => {
    const keys = (pk: string, sk: string) => [
      { AttributeName: pk, KeyType: 'HASH' },
      { AttributeName: sk, KeyType: 'RANGE' },
    ]
    expect(table.Properties).toMatchObject({
      KeySchema: keys('pk', 'sk'),
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: 'expiresAtS', Enabled: true },
      GlobalSecondaryIndexes: [
        { IndexName: 'index1', KeySchema: keys('index1pk', 'index1sk'), Projection: { ProjectionType: 'ALL' } },
        { IndexName: 'index2', KeySchema: keys('index2pk', 'index2sk'), Projection: { ProjectionType: 'ALL' } },
      ],
    })
  })

  test('can be brought back to any second, and is encrypted with our key', () => {
    expect(table.Properties.PointInTimeRecoverySpecification).toEqual({ PointInTimeRecoveryEnabled: true })
    expect(table.Properties.SSESpecification).toMatchObject({ SSEEnabled: true, SSEType: 'KMS' })
    expect(JSON.stringify(table.Properties.SSESpecification.KMSMasterKeyId)).toContain('DataKey')
  })

  test('cannot be deleted in production, neither by hand nor with its stack', () => {
    expect(table.Properties.DeletionProtectionEnabled).toBe(true)
    expect(table.DeletionPolicy).toBe('Retain')
    expect(table.UpdateReplacePolicy).toBe('Retain')
    const trial = only(resourcesOf(dev.shared, 'AWS::DynamoDB::Table'))
    expect(trial.DeletionPolicy).toBe('Delete')
    expect(trial.Properties.DeletionProtectionEnabled).toBe(false)
  })
})

describe('secrets', () => {
  test('begin empty: nobody has a token, and none is in the template', () => {
    const secrets = resourcesOf(prod.shared, 'AWS::SecretsManager::Secret').map(({ Properties }) => Properties)
    expect(secrets.map(({ Name, SecretString }) => [Name, SecretString])).toEqual([
      ['backstop/prod/tokens', '[]'],
      ['backstop/prod/webhooks', '{"webhooks":[]}'],
    ])
    for (const { KmsKeyId } of secrets) expect(JSON.stringify(KmsKeyId)).toContain('SecretKey')
  })

  test('there is none for webhooks where none are wanted', () => {
    const names = resourcesOf(dev.shared, 'AWS::SecretsManager::Secret').map(({ Properties }) => Properties.Name)
    expect(names).toEqual(['backstop/dev/tokens'])
  })
})
