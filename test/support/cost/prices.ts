/** Unit prices: dated inputs. Nothing reads them from AWS; check them with the AWS Pricing Calculator before relying on them. */

export const PRICES_AS_OF = '2026-11-21'
export const PRICES_REGION = 'us-east-1'

export interface Price {
  readonly usd: number
  readonly per: number
  readonly unit: string
  /** Where AWS publishes it. */
  readonly page: string
}

const price = (usd: number, per: number, unit: string, page: string): Price => ({ usd, per, unit, page })

const MILLION = 1_000_000

export const PRICES = {
  key: price(1, 1, 'key and month', 'aws.amazon.com/kms/pricing'),
  keyRequest: price(0.03, 10_000, 'requests', 'aws.amazon.com/kms/pricing'),
  secret: price(0.4, 1, 'secret and month', 'aws.amazon.com/secrets-manager/pricing'),
  secretRequest: price(0.05, 10_000, 'requests', 'aws.amazon.com/secrets-manager/pricing'),
  alarm: price(0.1, 1, 'alarm metric and month', 'aws.amazon.com/cloudwatch/pricing'),
  dashboard: price(3, 1, 'dashboard and month', 'aws.amazon.com/cloudwatch/pricing'),
  customMetric: price(0.3, 1, 'metric and month', 'aws.amazon.com/cloudwatch/pricing'),
  logGiB: price(0.5, 1, 'GiB taken in', 'aws.amazon.com/cloudwatch/pricing'),
  logGiBMonth: price(0.03, 1, 'GiB and month', 'aws.amazon.com/cloudwatch/pricing'),
  trace: price(5, MILLION, 'traces', 'aws.amazon.com/xray/pricing'),
  endpointHour: price(0.01, 1, 'interface endpoint, zone and hour', 'aws.amazon.com/privatelink/pricing'),
  httpRequest: price(1, MILLION, 'requests', 'aws.amazon.com/api-gateway/pricing'),
  lambdaRequest: price(0.2, MILLION, 'requests', 'aws.amazon.com/lambda/pricing'),
  lambdaGiBSecond: price(0.0000133334, 1, 'GiB and second (arm64)', 'aws.amazon.com/lambda/pricing'),
  tableWrite: price(0.625, MILLION, 'write units', 'aws.amazon.com/dynamodb/pricing/on-demand'),
  tableRead: price(0.125, MILLION, 'read units', 'aws.amazon.com/dynamodb/pricing/on-demand'),
  tableGiBMonth: price(0.25, 1, 'GiB and month', 'aws.amazon.com/dynamodb/pricing/on-demand'),
  tableRecoveryGiBMonth: price(0.2, 1, 'GiB and month', 'aws.amazon.com/dynamodb/pricing/on-demand'),
  queueRequest: price(0.5, MILLION, 'FIFO requests', 'aws.amazon.com/sqs/pricing'),
  objectWrite: price(0.005, 1_000, 'PUT requests', 'aws.amazon.com/s3/pricing'),
  objectRead: price(0.0004, 1_000, 'GET requests', 'aws.amazon.com/s3/pricing'),
  objectGiBMonth: price(0.023, 1, 'GiB and month (Standard)', 'aws.amazon.com/s3/pricing'),
  coldGiBMonth: price(0.004, 1, 'GiB and month (Glacier Instant Retrieval)', 'aws.amazon.com/s3/pricing'),
  egressGiB: price(0.09, 1, 'GiB out', 'aws.amazon.com/ec2/pricing/on-demand'),
} as const satisfies Readonly<Record<string, Price>>

export type PriceName = keyof typeof PRICES
