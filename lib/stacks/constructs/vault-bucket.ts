/** A bucket for what must not be lost: private, versioned, TLS alone, encrypted with our key, accesses logged. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  type IBucket,
  StorageClass,
} from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'

const ABORT_UPLOADS_AFTER_DAYS = 2
const OLD_VERSIONS_DAYS = 30

export interface VaultBucketProps extends Pick<BucketProps, 'objectLockDefaultRetention'> {
  readonly key: IKey
  readonly accessLogs: Bucket
  readonly onDelete: 'retain' | 'destroy'
  /** Leave out the helper function that empties the bucket before it is deleted. */
  readonly isEmulated: boolean
  readonly keepDays?: number | undefined
  readonly coldAfterDays?: number | undefined
  /** Folders whose objects are of use for so many days. */
  readonly folderDays?: Readonly<Record<string, number>>
}

function lifecycleOf(props: VaultBucketProps): NonNullable<BucketProps['lifecycleRules']> {
  const cold = {
    storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL,
    transitionAfter: Duration.days(props.coldAfterDays ?? 1),
  }
  return [
    {
      id: 'unfinished-and-replaced',
      abortIncompleteMultipartUploadAfter: Duration.days(ABORT_UPLOADS_AFTER_DAYS),
      ...(props.objectLockDefaultRetention === undefined && {
        noncurrentVersionExpiration: Duration.days(OLD_VERSIONS_DAYS),
      }),
    },
    ...Object.entries(props.folderDays ?? {}).map(([folder, keptDays]) => ({
      id: folder,
      prefix: `${folder}/`,
      expiration: Duration.days(keptDays),
    })),
    ...(props.keepDays === undefined ? [] : [{ id: 'old', expiration: Duration.days(props.keepDays) }]),
    ...(props.coldAfterDays === undefined ? [] : [{ id: 'cold', transitions: [cold] }]),
  ]
}

/** `name` is both its id and its prefix in the access logs. */
export function createVaultBucket(scope: Construct, name: string, props: VaultBucketProps): Bucket {
  const isLocked = props.objectLockDefaultRetention !== undefined
  const isDestroyed = props.onDelete === 'destroy' && !isLocked
  return new Bucket(scope, name, {
    encryption: BucketEncryption.KMS,
    encryptionKey: props.key,
    bucketKeyEnabled: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    versioned: true,
    serverAccessLogsBucket: props.accessLogs as IBucket,
    serverAccessLogsPrefix: `${name.toLowerCase()}/`,
    lifecycleRules: lifecycleOf(props),
    ...(isLocked && { objectLockDefaultRetention: props.objectLockDefaultRetention, objectLockEnabled: true }),
    removalPolicy: isDestroyed ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
    autoDeleteObjects: isDestroyed && !props.isEmulated,
  })
}

/** Nobody, whatever their role allows, replaces an object: a write without If-None-Match is refused. */
export function denyOverwrites(bucket: Bucket): void {
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: 'AddOnlyWhatIsAbsent',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects('*')],
      conditions: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
    }),
  )
}

/** Nobody deletes a sealed object, shortens its retention, or lets the bucket's own rules do it. */
export function denyRemoval(bucket: Bucket): void {
  const deny = (sid: string, actions: string[], resources: string[]) =>
    bucket.addToResourcePolicy(
      new PolicyStatement({ sid, effect: Effect.DENY, principals: [new AnyPrincipal()], actions, resources }),
    )
  deny(
    'NeverDelete',
    ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:BypassGovernanceRetention', 's3:PutObjectRetention'],
    [bucket.arnForObjects('*')],
  )
  deny('NeverExpire', ['s3:PutLifecycleConfiguration', 's3:PutBucketObjectLockConfiguration'], [bucket.bucketArn])
}
