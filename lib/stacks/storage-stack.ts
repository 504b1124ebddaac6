/** The buckets: recovery points, sealed audit, config, and the log of who touched them. */
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket, ObjectLockRetention } from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import type { Environment } from './config/index.ts'
import { type PolicyDocumentFile, uploadPolicy } from './constructs/policy-upload.ts'
import { createVaultBucket, denyOverwrites, denyRemoval } from './constructs/vault-bucket.ts'
import type { SharedStack } from './shared-stack.ts'

const ACCESS_LOG_DAYS = 90
/** What BACKSTOP_UNDO_RETENTION_DAYS is when nobody sets it. */
const UNDO_RETENTION_DAYS = 7

/** No function may delete what a drill wrote for itself. */
const SCRATCH_DAYS = 1

/** A day longer than the records that name them; no function may delete one. */
function undoDays({ settings }: Environment): number {
  return Number(settings['BACKSTOP_UNDO_RETENTION_DAYS'] ?? UNDO_RETENTION_DAYS) + 1
}

export interface StorageStackProps extends StackProps {
  readonly shared: SharedStack
  /** Absent: nothing is delivered, and the default policy is in force. */
  readonly policy?: PolicyDocumentFile | undefined
}

export class StorageStack extends Stack {
  readonly snapshots: Bucket
  readonly audit: Bucket
  readonly config: Bucket
  readonly accessLogs: Bucket

  constructor(scope: Construct, environment: Environment, props: StorageStackProps) {
    super(scope, 'storage', props)
    this.accessLogs = this.#createAccessLogs(environment)
    const { onDelete, isEmulated, audit, snapshots } = environment
    const vault = { key: props.shared.dataKey, accessLogs: this.accessLogs, onDelete, isEmulated }
    const keep = Duration.days(audit.keepDays)
    const objectLockDefaultRetention =
      audit.mode === 'COMPLIANCE' ? ObjectLockRetention.compliance(keep) : ObjectLockRetention.governance(keep)
    this.snapshots = createVaultBucket(this, 'Snapshots', {
      ...vault,
      ...snapshots,
      folderDays: { undo: undoDays(environment), 'drills/scratch': SCRATCH_DAYS },
    })
    this.audit = createVaultBucket(this, 'Audit', { ...vault, objectLockDefaultRetention })
    this.config = createVaultBucket(this, 'Config', vault)
    denyOverwrites(this.snapshots)
    denyOverwrites(this.audit)
    denyRemoval(this.audit)
    if (props.policy !== undefined) uploadPolicy(this, this.config as IBucket, props.shared.dataKey, props.policy)
    for (const [id, bucket] of Object.entries({ Snapshot: this.snapshots, Audit: this.audit, Config: this.config })) {
      new CfnOutput(this, `${id}BucketName`, { value: bucket.bucketName })
    }
  }

  /** S3 delivers logs to buckets with its own encryption alone. */
  #createAccessLogs(environment: Environment): Bucket {
    const isDestroyed = environment.onDelete === 'destroy'
    return new Bucket(this, 'AccessLogs', {
      encryption: BucketEncryption.S3_MANAGED,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      lifecycleRules: [
        {
          id: 'old',
          expiration: Duration.days(ACCESS_LOG_DAYS),
          noncurrentVersionExpiration: Duration.days(1),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
      removalPolicy: isDestroyed ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
      autoDeleteObjects: isDestroyed && !environment.isEmulated,
    })
  }
}
