/** What one environment is: everything that differs between `dev`, `staging` and `prod`, checked before anything is built. */
import { z } from 'zod'

const DAYS_PER_YEAR = 365

const name = z.string().regex(/^[a-z][a-z0-9-]{1,15}$/, 'takes 2 to 16 lower-case letters, digits and hyphens')
const arn = z.string().regex(/^arn:aws[a-z-]*:/, 'takes an ARN (arn:aws:…)')
const hostName = z.string().regex(/^[A-Za-z0-9.-]{1,253}$/, 'takes a host name without port or scheme')
const roleName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_$]{0,62}$/, 'takes the plain name of a database role')
const origin = z
  .string()
  .regex(/^https:\/\/[A-Za-z0-9.-]+(:\d+)?$/, 'takes an origin such as https://console.example.com')
const days = z
  .int()
  .min(1)
  .max(100 * DAYS_PER_YEAR)

/** IAM: the resource id of the instance (`db-…`), cluster (`cluster-…`) or proxy (`prx-…`), not its name. */
const rdsIam = z.strictObject({
  kind: z.literal('rds-iam'),
  resourceId: z.string().regex(/^(db|cluster|prx)-[A-Za-z0-9]+$/, 'takes a resource id (db-…, cluster-… or prx-…)'),
})

const secret = z.strictObject({
  kind: z.literal('secret'),
  /** Complete ARN, with the six characters at its end. */
  secretArn: arn,
  /** Of the key that encrypts the secret; absent when that is `aws/secretsmanager`. */
  keyArn: arn.optional(),
})

const database = z.strictObject({
  /** The instance, the cluster's writer endpoint, or an RDS Proxy. */
  host: hostName,
  port: z.int().min(1).max(65_535).default(5432),
  name: z.string().min(1).max(63),
  user: roleName,
  auth: z.discriminatedUnion('kind', [rdsIam, secret]),
  /** `disable` is for local clouds alone: production refuses it. */
  tls: z.enum(['verify-full', 'disable']).default('verify-full'),
  agentRole: roleName.optional(),
})

/** The database's own VPC. Absent: functions run outside any VPC and reach a public database, which suits trials alone. */
const network = z.strictObject({
  vpcId: z.string().regex(/^vpc-[0-9a-f]+$/, 'takes a VPC id (vpc-…)'),
  availabilityZones: z.array(z.string().min(1)).min(1),
  /** One for each zone, in their order. */
  subnetIds: z.array(z.string().regex(/^subnet-[0-9a-f]+$/, 'takes subnet ids (subnet-…)')).min(1),
  /** Of those subnets, in their order: where the gateway endpoints of S3 and DynamoDB are entered. */
  routeTableIds: z.array(z.string().regex(/^rtb-[0-9a-f]+$/, 'takes route table ids (rtb-…)')).min(1),
  databaseSecurityGroupId: z.string().regex(/^sg-[0-9a-f]+$/, 'takes a security group id (sg-…)'),
  /** `existing`: the VPC has endpoints (or a way out) for S3, DynamoDB, SQS and Secrets Manager. */
  endpoints: z.enum(['create', 'existing']).default('create'),
  /** True: the database's security group lets the functions in. False: you add that rule. */
  openDatabase: z.boolean().default(true),
})

const api = z
  .strictObject({
    /** `http`: HTTP API. `rest`: REST API, which can carry a firewall. `private`: REST API, only through a VPC endpoint. */
    kind: z.enum(['http', 'rest', 'private']).default('http'),
    ratePerSecond: z.int().min(1).max(10_000).default(500),
    burst: z.int().min(1).max(5_000).default(1_000),
    /** Browsers' origins that may read answers; none by default. */
    corsOrigins: z.array(origin).default([]),
    domain: z.strictObject({ name: hostName, certificateArn: arn }).optional(),
    firewall: z.strictObject({ ratePerFiveMinutes: z.int().min(10).max(2_000_000_000) }).optional(),
    vpcEndpointId: z
      .string()
      .regex(/^vpce-[0-9a-f]+$/, 'takes a VPC endpoint id (vpce-…)')
      .optional(),
  })
  .refine((value) => value.firewall === undefined || value.kind === 'rest', {
    path: ['firewall'],
    message: 'needs kind "rest": an HTTP API cannot carry a firewall',
  })
  .refine((value) => (value.kind === 'private') === (value.vpcEndpointId !== undefined), {
    path: ['vpcEndpointId'],
    message: 'goes with kind "private", and only with it',
  })
  .refine((value) => value.domain === undefined || value.kind !== 'private', {
    path: ['domain'],
    message: 'cannot be given to a private API',
  })
  .refine((value) => value.corsOrigins.length === 0 || value.kind === 'http', {
    path: ['corsOrigins'],
    message: 'needs kind "http"',
  })

const alerts = z.strictObject({
  emails: z.array(z.email()).default([]),
  /** Endpoints that SNS itself calls, such as PagerDuty's. */
  https: z.array(z.url({ protocol: /^https$/ })).default([]),
  /** True: a secret for signed webhooks that the relay calls. */
  webhooks: z.boolean().default(false),
})

const concurrency = z.strictObject({
  /** Each instance has at most three connections: reads, writes, look-ups. */
  query: z.int().min(1).max(1_000),
  /** SQS starts at least two. */
  run: z.int().min(2).max(1_000),
  capture: z.int().min(2).max(1_000),
  /** Ranges of large tables, each with a connection of its own. */
  part: z.int().min(2).max(1_000).default(8),
  /** False in accounts whose limit is 10: Lambda refuses to reserve there. */
  isReserved: z.boolean(),
})

/**
 * Tables that a function has no time for are captured by a container without a server. It runs in the functions' subnets, and
 * needs a way from there to its image and to CloudWatch Logs: a NAT, or endpoints and an image in your own registry.
 */
const captureTask = z.strictObject({
  /** Larger tables, with their out-of-line values, go to the task. */
  aboveMegabytes: z.int().min(1).default(20_000),
  /** Of Node 24 with the AWS SDK where Lambda has it; for arm64. */
  image: z.string().min(1).default('public.ecr.aws/lambda/nodejs:24'),
  /** 1,024 is one virtual CPU. */
  cpu: z.union([z.literal(1_024), z.literal(2_048), z.literal(4_096)]).default(2_048),
  memoryMib: z.int().min(2_048).max(30_720).default(4_096),
  /** In a public subnet without a NAT. */
  assignPublicIp: z.boolean().default(false),
})

export const environmentSchema = z
  .strictObject({
    name,
    account: z
      .string()
      .regex(/^\d{12}$/, 'takes the twelve digits of an account')
      .optional(),
    region: z
      .string()
      .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'takes a region such as eu-central-1')
      .optional(),
    clusterId: z.string().min(1).max(63),
    /** What becomes of table, buckets and keys when a stack is deleted. The audit bucket is always kept. */
    onDelete: z.enum(['retain', 'destroy']),
    tags: z.record(z.string(), z.string()).default({}),
    database,
    network: network.optional(),
    api: api.prefault({}),
    alerts: alerts.prefault({}),
    /** JSON file of the policy, relative to the project. Absent: the default policy. */
    policyFile: z.string().min(1).optional(),
    /** Absent: a table that takes longer than a function may run fails clearly. */
    captureTask: captureTask.optional(),
    concurrency: concurrency.prefault({ query: 20, run: 5, capture: 4, isReserved: false }),
    audit: z
      .strictObject({ mode: z.enum(['GOVERNANCE', 'COMPLIANCE']), keepDays: days })
      .prefault({ mode: 'GOVERNANCE', keepDays: 1 }),
    snapshots: z
      .strictObject({
        /** Absent: kept for good. Shorter than a table's last change would lose its only point. */
        keepDays: days.optional(),
        /** From then on in Glacier Instant Retrieval. */
        coldAfterDays: days.optional(),
      })
      .prefault({}),
    logKeepDays: z.union([z.literal(7), z.literal(14), z.literal(30), z.literal(90), z.literal(365)]).default(30),
    /** Hours and minutes in UTC, `HH:MM`. */
    drillAt: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'takes a time of day such as 03:30')
      .default('03:30'),
    verifyAt: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'takes a time of day such as 02:30')
      .default('02:30'),
    retainAt: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'takes a time of day such as 04:30')
      .default('04:30'),
    /** Tuning that functions read from their environment: `BACKSTOP_MAX_ROWS`, … */
    settings: z
      .record(z.string().regex(/^BACKSTOP_[A-Z_]+$/, 'takes names such as BACKSTOP_MAX_ROWS'), z.string())
      .default({}),
    /** True: leave out what a local emulator refuses. */
    isEmulated: z.boolean().default(false),
  })
  .refine((value) => value.database.tls === 'verify-full' || value.isEmulated, {
    path: ['database', 'tls'],
    message: 'must be "verify-full" outside an emulator',
  })
  .refine((value) => value.captureTask === undefined || value.network !== undefined, {
    path: ['captureTask'],
    message: 'needs "network": a container runs in subnets',
  })
  .refine(
    (value) => value.snapshots.keepDays === undefined || value.onDelete === 'destroy' || value.snapshots.keepDays >= 30,
    {
      path: ['snapshots', 'keepDays'],
      message: 'must be at least 30 where data is retained',
    },
  )

/** As it is written. */
export type EnvironmentInput = z.input<typeof environmentSchema>
/** Checked, with every default filled in. */
export type Environment = z.output<typeof environmentSchema>
