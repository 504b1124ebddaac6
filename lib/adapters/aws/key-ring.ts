/** Keys in KMS: each data key is made and wrapped there, and opened there, bound to its encryption context. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { BackstopError, canonicalJson } from '#lib/kernel/index.ts'
import type { DataKey, KeyContext, KeyRing } from '#lib/ports/index.ts'
import { assertKeyContext, DATA_KEY_BYTES } from '#lib/ports/index.ts'
import { type AwsClientSettings, awsClientConfig } from './client.ts'
import { classifyAwsError, mapAwsError } from './failure.ts'

export interface KmsKeyRingOptions {
  readonly aws: AwsClientSettings
  /** Id, ARN or alias of the key that wraps. KMS's own rotation keeps it. */
  readonly keyId: string
  /** Keys that wrapped before and still open, the newest first. */
  readonly formerKeyIds?: readonly string[]
}

const FORMAT = 1
const CONFIRMATION_BYTES = 16
const CONFIRMATION_LABEL = 'backstop data key confirmation'
const REFUSED = new Set([
  'DisabledException',
  'IncorrectKeyException',
  'InvalidCiphertextException',
  'InvalidKeyUsageException',
  'KMSInvalidStateException',
])

/**
 * Layout of a wrapped key: format 1, KMS's ciphertext, and 16 bytes that only the very key makes of ciphertext and context. With
 * those a service that does not authenticate its ciphertexts, as local emulators do not, cannot hand out another key.
 *
 * Needs: kms:GenerateDataKey and kms:Decrypt on the key, kms:Decrypt on former ones
 */
export function openKmsKeyRing(options: KmsKeyRingOptions): KeyRing {
  return new KmsKeyRing(options)
}

class KmsKeyRing implements KeyRing {
  readonly #client: KMSClient
  readonly #keyId: string
  readonly #keyIds: readonly string[]

  constructor({ aws, keyId, formerKeyIds = [] }: KmsKeyRingOptions) {
    this.#client = new KMSClient(awsClientConfig(aws))
    this.#keyId = keyId
    this.#keyIds = [keyId, ...formerKeyIds]
  }

  async generateDataKey(context: KeyContext): Promise<DataKey> {
    assertKeyContext(context)
    try {
      const command = new GenerateDataKeyCommand({ KeyId: this.#keyId, KeySpec: 'AES_256', EncryptionContext: context })
      const { Plaintext, CiphertextBlob, KeyId } = await this.#client.send(command)
      if (Plaintext?.length !== DATA_KEY_BYTES || CiphertextBlob === undefined || KeyId === undefined) {
        throw new BackstopError('KEYS_UNREACHABLE', `the answer of the key ${this.#keyId} is incomplete`)
      }
      const confirmation = confirm(Plaintext, CiphertextBlob, context)
      const wrapped = Buffer.concat([Buffer.from([FORMAT]), CiphertextBlob, confirmation])
      return { plaintext: Plaintext, wrapped, keyId: KeyId }
    } catch (error) {
      throw keyError(error, this.#keyId)
    }
  }

  /** KMS is told which key to use, so that nobody can hand in a ciphertext of a key of their own. */
  async unwrap(wrapped: Uint8Array, context: KeyContext): Promise<Uint8Array> {
    assertKeyContext(context)
    if (wrapped[0] !== FORMAT || wrapped.length <= 1 + CONFIRMATION_BYTES) throw refused(this.#keyId)
    const ciphertext = wrapped.subarray(1, -CONFIRMATION_BYTES)
    const confirmation = wrapped.subarray(-CONFIRMATION_BYTES)
    let failure: BackstopError | undefined
    for (const keyId of this.#keyIds) {
      const opened = await this.#open(keyId, ciphertext, context)
      if (opened instanceof BackstopError) failure ??= opened
      else if (timingSafeEqual(confirm(opened, ciphertext, context), confirmation)) return opened
    }
    throw failure ?? refused(this.#keyId)
  }

  /** Returns the refusal of one key: a former one may open it. */
  async #open(keyId: string, ciphertext: Uint8Array, context: KeyContext): Promise<Uint8Array | BackstopError> {
    try {
      const command = new DecryptCommand({ KeyId: keyId, CiphertextBlob: ciphertext, EncryptionContext: context })
      const { Plaintext } = await this.#client.send(command)
      return Plaintext ?? refused(keyId)
    } catch (error) {
      const failure = keyError(error, keyId)
      if (failure.code === 'KEYS_UNREACHABLE') throw failure
      return failure
    }
  }
}

function confirm(key: Uint8Array, ciphertext: Uint8Array, context: KeyContext): Buffer {
  const mac = createHmac('sha256', key).update(CONFIRMATION_LABEL).update(canonicalJson(context)).update(ciphertext)
  return mac.digest().subarray(0, CONFIRMATION_BYTES)
}

function refused(keyId: string): BackstopError {
  return new BackstopError(
    'KEY_REFUSED',
    `the key ${keyId} does not open this: the wrapped key was changed, or belongs to another key or context`,
  )
}

function keyError(error: unknown, keyId: string): BackstopError {
  const { kind, name } = classifyAwsError(error)
  if (name === 'DisabledException' || name === 'KMSInvalidStateException') {
    return new BackstopError('KEY_REFUSED', `the key ${keyId} is disabled or about to be deleted (${name})`)
  }
  if (REFUSED.has(name)) return refused(keyId)
  if (kind === 'missing') return new BackstopError('KEY_MISSING', `there is no key ${keyId} in this account and region`)
  return mapAwsError(error, { code: 'KEYS_UNREACHABLE', resource: `the key ${keyId}`, isSecret: true })
}
