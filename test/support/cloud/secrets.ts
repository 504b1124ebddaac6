/** Secrets and keys in an account of the local cloud that no other test uses. */
import { randomUUID } from 'node:crypto'
import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import { awsClientConfig } from '#lib/adapters/aws/index.ts'
import { accountSettings } from './dynamo.ts'

export function openTestSecrets(endpoint: string) {
  const aws = accountSettings(endpoint)
  const client = new SecretsManagerClient(awsClientConfig(aws))
  return {
    aws,
    /** Create it, or give it a new value as a rotation does. */
    async set(name: string, value: string): Promise<void> {
      try {
        await client.send(
          new CreateSecretCommand({ Name: name, SecretString: value, ClientRequestToken: randomUUID() }),
        )
      } catch (error) {
        if (!(error instanceof ResourceExistsException)) throw error
        await client.send(new PutSecretValueCommand({ SecretId: name, SecretString: value }))
      }
    },
    async setBytes(name: string, value: Uint8Array): Promise<void> {
      await client.send(new CreateSecretCommand({ Name: name, SecretBinary: value }))
    },
    /** With a time to recover it in, as by default, unless `isForced`. */
    async remove(name: string, isForced = true): Promise<void> {
      await client.send(
        new DeleteSecretCommand({ SecretId: name, ...(isForced && { ForceDeleteWithoutRecovery: true }) }),
      )
    },
    close: () => client.destroy(),
  }
}

export function openTestKeys(endpoint: string) {
  const aws = accountSettings(endpoint)
  const client = new KMSClient(awsClientConfig(aws))
  return {
    aws,
    async create(): Promise<string> {
      const { KeyMetadata } = await client.send(new CreateKeyCommand({ Description: 'a test' }))
      return KeyMetadata?.KeyId as string
    },
    async setEnabled(keyId: string, isEnabled: boolean): Promise<void> {
      await client.send(isEnabled ? new EnableKeyCommand({ KeyId: keyId }) : new DisableKeyCommand({ KeyId: keyId }))
    },
    close: () => client.destroy(),
  }
}
