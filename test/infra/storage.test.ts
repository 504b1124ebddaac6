import { describe, expect, test } from 'vitest'
import { wordsOf } from './support/permissions.ts'
import { type Resource, resourcesOf, SHAPES, stageOf } from './support/stages.ts'

const prod = stageOf(SHAPES['prod'] ?? expect.fail())
const staging = stageOf(SHAPES['staging'] ?? expect.fail())
const dev = stageOf(SHAPES['dev'] ?? expect.fail())

type Statement = { Sid?: string; Effect: string; Action: string | string[]; Condition?: object; Principal: object }

const isOf = (resource: Resource, bucket: string) => wordsOf(resource.Properties.Bucket).startsWith(`<${bucket}`)

function policyOf(stage: typeof prod, bucket: string): readonly Statement[] {
  const policies = resourcesOf(stage.storage, 'AWS::S3::BucketPolicy').filter((policy) => isOf(policy, bucket))
  expect(policies).toHaveLength(1)
  return policies[0]?.Properties.PolicyDocument.Statement
}

function bucketOf(stage: typeof prod, prefix: string): Resource {
  const found = resourcesOf(stage.storage, 'AWS::S3::Bucket').filter(
    ({ Properties }) => Properties.LoggingConfiguration?.LogFilePrefix === `${prefix}/`,
  )
  expect(found).toHaveLength(1)
  return found[0] as Resource
}

test.each([
  ['prod', prod],
  ['staging', staging],
  ['dev', dev],
])('all four buckets of %s are private, versioned, encrypted and TLS alone', (_name, stage) => {
  const buckets = resourcesOf(stage.storage, 'AWS::S3::Bucket')
  expect(buckets).toHaveLength(4)
  for (const { Properties } of buckets) {
    expect(Properties.PublicAccessBlockConfiguration).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    })
    expect(Properties.VersioningConfiguration).toEqual({ Status: 'Enabled' })
    expect(Properties.BucketEncryption.ServerSideEncryptionConfiguration).toHaveLength(1)
    expect(JSON.stringify(Properties.LifecycleConfiguration.Rules)).toContain('AbortIncompleteMultipartUpload')
  }
  for (const bucket of ['Snapshots', 'Audit', 'Config', 'AccessLogs']) {
    const denied = policyOf(stage, bucket).filter(({ Effect }) => Effect === 'Deny')
    const conditions = denied.map(({ Condition }) => JSON.stringify(Condition))
    expect(conditions).toContain('{"Bool":{"aws:SecureTransport":"false"}}')
    expect(conditions).toContain('{"NumericLessThan":{"s3:TlsVersion":1.2}}')
  }
})

test('three buckets are encrypted with our key and log who touches them; the log itself has the key of S3', () => {
  const schemes = resourcesOf(prod.storage, 'AWS::S3::Bucket').map(({ Properties }) => {
    const rule = Properties.BucketEncryption.ServerSideEncryptionConfiguration[0]
    return [
      rule.ServerSideEncryptionByDefault.SSEAlgorithm,
      rule.BucketKeyEnabled,
      Properties.LoggingConfiguration?.LogFilePrefix,
    ]
  })
  expect(schemes).toEqual([
    ['AES256', undefined, undefined],
    ['aws:kms', true, 'snapshots/'],
    ['aws:kms', true, 'audit/'],
    ['aws:kms', true, 'config/'],
  ])
})

describe('what is sealed', () => {
  test('is locked: for nobody to delete in production', () => {
    const { Properties } = bucketOf(prod, 'audit')
    expect(Properties.ObjectLockEnabled).toBe(true)
    expect(Properties.ObjectLockConfiguration).toEqual({
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 365 } },
    })
    expect(bucketOf(dev, 'audit').Properties.ObjectLockConfiguration.Rule.DefaultRetention).toEqual({
      Mode: 'GOVERNANCE',
      Days: 1,
    })
  })

  test.each([
    ['prod', prod],
    ['staging', staging],
    ['dev', dev],
  ])('is denied to everybody to delete, to shorten and to let expire in %s', (_name, stage) => {
    const denied = policyOf(stage, 'Audit').filter(
      ({ Effect, Condition }) => Effect === 'Deny' && Condition === undefined,
    )
    expect(denied.flatMap(({ Action }) => Action).sort()).toEqual([
      's3:BypassGovernanceRetention',
      's3:DeleteObject',
      's3:DeleteObjectVersion',
      's3:PutBucketObjectLockConfiguration',
      's3:PutLifecycleConfiguration',
      's3:PutObjectRetention',
    ])
    for (const { Principal } of denied) expect(Principal).toEqual({ AWS: '*' })
  })

  test.each([
    ['prod', prod],
    ['dev', dev],
  ])('stays when the stack of %s goes, and no rule of the bucket expires it', (_name, stage) => {
    const bucket = bucketOf(stage, 'audit')
    expect(bucket.DeletionPolicy).toBe('Retain')
    expect(bucket.UpdateReplacePolicy).toBe('Retain')
    expect(JSON.stringify(bucket.Properties.LifecycleConfiguration)).not.toContain('Expiration')
    expect(JSON.stringify(bucket.Properties.Tags ?? [])).not.toContain('auto-delete')
  })
})

describe('recovery points', () => {
  test.each(['Snapshots', 'Audit'])(
    '%s: a write that could replace something is refused, whoever sends it',
    (bucket) => {
      expect(policyOf(prod, bucket).find(({ Sid }) => Sid === 'AddOnlyWhatIsAbsent')).toMatchObject({
        Effect: 'Deny',
        Action: 's3:PutObject',
        Principal: { AWS: '*' },
        Condition: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
      })
    },
  )

  test('go to cold storage and expire as the environment says; without a word they stay for good', () => {
    const rules = (stage: typeof prod) => bucketOf(stage, 'snapshots').Properties.LifecycleConfiguration.Rules
    expect(rules(staging)).toMatchObject([
      { Id: 'unfinished-and-replaced', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } },
      { Id: 'undo', Prefix: 'undo/', ExpirationInDays: 8 },
      { Id: 'drills/scratch', Prefix: 'drills/scratch/', ExpirationInDays: 1 },
      { Id: 'old', ExpirationInDays: 90 },
      { Id: 'cold', Transitions: [{ StorageClass: 'GLACIER_IR', TransitionInDays: 30 }] },
    ])
    const expiring = rules(prod).filter((rule: object) => 'ExpirationInDays' in rule)
    expect(expiring.map(({ Id }: { Id: string }) => Id)).toEqual(['undo', 'drills/scratch'])
  })

  test('are kept when the stack of production goes', () => {
    expect(bucketOf(prod, 'snapshots').DeletionPolicy).toBe('Retain')
    expect(bucketOf(dev, 'snapshots').DeletionPolicy).toBe('Delete')
  })
})

test('the policy file is written into the config bucket under a digest, so that a new text is a new write', () => {
  const uploads = resourcesOf(prod.storage, 'Custom::AWS')
  expect(uploads).toHaveLength(1)
  const create = wordsOf(uploads[0]?.Properties.Create)
  expect(create).toContain('"Key":"policy.json"')
  expect(create).toContain('block_operations')
  expect(create).toMatch(/"physicalResourceId":\{"id":"[0-9a-f]{64}"\}/)
  expect(uploads[0]?.Properties.Delete).toBeUndefined()
  expect(resourcesOf(dev.storage, 'Custom::AWS')).toEqual([])
})
