/** The policy of an environment → `policy.json` in the config bucket, again whenever its text changes. */
import { createHash } from 'node:crypto'
import { Duration } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { IBucket } from 'aws-cdk-lib/aws-s3'
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources'
import type { Construct } from 'constructs'

const POLICY_KEY = 'policy.json'

export interface PolicyDocumentFile {
  readonly text: string
}

/** Deleting the stack leaves the object: a gateway without its policy would fall back to the default one. */
export function uploadPolicy(scope: Construct, bucket: IBucket, key: IKey, policy: PolicyDocumentFile): void {
  const digest = createHash('sha256').update(policy.text).digest('hex')
  const put = {
    service: 'S3',
    action: 'putObject',
    parameters: { Bucket: bucket.bucketName, Key: POLICY_KEY, Body: policy.text, ContentType: 'application/json' },
    physicalResourceId: PhysicalResourceId.of(digest),
    outputPaths: ['ETag'],
  }
  new AwsCustomResource(scope, 'Policy', {
    onCreate: put,
    onUpdate: put,
    timeout: Duration.minutes(1),
    installLatestAwsSdk: false,
    policy: AwsCustomResourcePolicy.fromStatements([
      new PolicyStatement({ actions: ['s3:PutObject'], resources: [bucket.arnForObjects(POLICY_KEY)] }),
      new PolicyStatement({ actions: ['kms:GenerateDataKey', 'kms:Decrypt'], resources: [key.keyArn] }),
    ]),
  })
}
