/** What a bucket does with what is replaced or deleted in it. */
import { GetBucketVersioningCommand, GetObjectLockConfigurationCommand } from '@aws-sdk/client-s3'
import { nameOf } from './failure.ts'
import type { Bucket } from './model.ts'

export interface BucketTraits {
  /** Undefined where it cannot be told. */
  readonly isVersioned: boolean | undefined
  readonly isLocked: boolean | undefined
  /** Why something cannot be told. */
  readonly unknown: readonly { readonly subject: string; readonly reason: string }[]
}

const NO_LOCK: ReadonlySet<string> = new Set([
  'ObjectLockConfigurationNotFoundError',
  'ObjectLockConfigurationNotFound',
])

/** Neither permission is needed for daily work: what is refused is told and no failure. */
export async function describeBucket({ client, address }: Bucket): Promise<BucketTraits> {
  const unknown: { subject: string; reason: string }[] = []
  const ask = async (subject: string, action: string, question: () => Promise<boolean>) => {
    try {
      return await question()
    } catch (error) {
      if (NO_LOCK.has(nameOf(error))) return false
      unknown.push({ subject, reason: `${nameOf(error)}: ${action} is not granted, or not known there` })
      return undefined
    }
  }
  const isVersioned = await ask('versioning', 's3:GetBucketVersioning', async () => {
    const { Status } = await client.send(new GetBucketVersioningCommand(address))
    return Status === 'Enabled'
  })
  const isLocked = await ask('object lock', 's3:GetBucketObjectLockConfiguration', async () => {
    const { ObjectLockConfiguration } = await client.send(new GetObjectLockConfigurationCommand(address))
    return ObjectLockConfiguration?.Rule?.DefaultRetention !== undefined
  })
  return { isVersioned, isLocked, unknown }
}
