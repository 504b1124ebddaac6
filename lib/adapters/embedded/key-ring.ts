/** Keys in a secret: data keys wrapped by AES-256-GCM under the current one, opened by any that is kept. */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { BackstopError, canonicalJson } from '#lib/kernel/index.ts'
import type { DataKey, KeyContext, KeyRing, Random, Secrets } from '#lib/ports/index.ts'
import { assertKeyContext, DATA_KEY_BYTES } from '#lib/ports/index.ts'
import { decodeMasterKeys, type MasterKeys } from './master-keys.ts'

export interface SecretKeyRingOptions {
  readonly secrets: Secrets
  /** Holds the text of `addMasterKey`. Read at each use, so that a rotation counts at once. */
  readonly secretName: string
  readonly random: Random
}

const CIPHER = 'aes-256-gcm'
const FORMAT = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Layout of a wrapped key: format 1, length of the id, id, nonce (12), encrypted key (32), tag (16). Everything before the nonce
 * and the canonical context are authenticated with it.
 *
 * Bounds: nonces are random, so one master key wraps at most 2^32 data keys: rotate long before that
 */
export function createSecretKeyRing(options: SecretKeyRingOptions): KeyRing {
  const { random } = options
  return {
    async generateDataKey(context) {
      assertKeyContext(context)
      const keys = await readKeys(options)
      return wrap(keys, random.bytes(DATA_KEY_BYTES), random.bytes(NONCE_BYTES), context)
    },
    async unwrap(wrapped, context) {
      assertKeyContext(context)
      const parts = splitWrapped(wrapped)
      return open(await readKeys(options), parts, context)
    },
  }
}

async function readKeys({ secrets, secretName }: SecretKeyRingOptions): Promise<MasterKeys> {
  const text = await secrets.find(secretName)
  if (text !== undefined) return decodeMasterKeys(text, secretName)
  throw new BackstopError('KEY_MISSING', `there are no keys: the secret ${secretName} is missing`)
}

function wrap(keys: MasterKeys, plaintext: Uint8Array, nonce: Uint8Array, context: KeyContext): DataKey {
  const keyId = keys.current
  const header = Buffer.concat([Buffer.from([FORMAT, Buffer.byteLength(keyId)]), Buffer.from(keyId)])
  const cipher = createCipheriv(CIPHER, keyFor(keys, keyId), nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(boundBytes(header, context))
  const encrypted = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return { plaintext, wrapped: Buffer.concat([header, nonce, encrypted, cipher.getAuthTag()]), keyId }
}

interface WrappedParts {
  readonly header: Buffer
  readonly keyId: string
  readonly nonce: Buffer
  readonly encrypted: Buffer
  readonly tag: Buffer
}

function splitWrapped(wrapped: Uint8Array): WrappedParts {
  const bytes = Buffer.from(wrapped.buffer, wrapped.byteOffset, wrapped.byteLength)
  const headerBytes = 2 + (bytes[1] ?? 0)
  const nonceEnd = headerBytes + NONCE_BYTES
  if (bytes[0] !== FORMAT || bytes.length !== nonceEnd + DATA_KEY_BYTES + TAG_BYTES)
    throw refused('it has another form')
  return {
    header: bytes.subarray(0, headerBytes),
    keyId: bytes.toString('utf8', 2, headerBytes),
    nonce: bytes.subarray(headerBytes, nonceEnd),
    encrypted: bytes.subarray(nonceEnd, nonceEnd + DATA_KEY_BYTES),
    tag: bytes.subarray(nonceEnd + DATA_KEY_BYTES),
  }
}

function open(keys: MasterKeys, { header, keyId, nonce, encrypted, tag }: WrappedParts, context: KeyContext): Buffer {
  const decipher = createDecipheriv(CIPHER, keyFor(keys, keyId), nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(boundBytes(header, context)).setAuthTag(tag)
  try {
    return Buffer.concat([decipher.update(encrypted), decipher.final()])
  } catch {
    throw refused('it was changed, or belongs to another context')
  }
}

function boundBytes(header: Uint8Array, context: KeyContext): Buffer {
  return Buffer.concat([header, Buffer.from(canonicalJson(context))])
}

function keyFor({ keys }: MasterKeys, keyId: string): Buffer {
  const found = keys.get(keyId)
  if (found === undefined) throw new BackstopError('KEY_MISSING', `there is no key ${JSON.stringify(keyId)}`)
  if (found.isDisabled) throw new BackstopError('KEY_REFUSED', `the key ${keyId} is disabled`)
  return found.bytes
}

function refused(reason: string): BackstopError {
  return new BackstopError('KEY_REFUSED', `the wrapped key cannot be opened: ${reason}`)
}
