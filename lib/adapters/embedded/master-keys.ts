/** The text that a secret key ring keeps: `{"current":"<id>","keys":{"<id>":"<32 bytes in base64>"},"disabled":["<id>"]}`. Pure. */
import { BackstopError } from '#lib/kernel/index.ts'

export interface MasterKeys {
  readonly current: string
  readonly keys: ReadonlyMap<string, { readonly bytes: Buffer; readonly isDisabled: boolean }>
}

interface MasterKeysText {
  readonly current: string
  readonly keys: Readonly<Record<string, string>>
  readonly disabled?: readonly string[]
}

const KEY_BYTES = 32
const ID_FORM = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Throws KEY_MISSING, which shows nothing of the text. */
export function decodeMasterKeys(text: string, secretName: string): MasterKeys {
  const parsed = parse(text)
  const bad = new BackstopError(
    'KEY_MISSING',
    `the secret ${secretName} holds no keys: its form is {"current":…,"keys":{…}}`,
  )
  if (parsed === undefined) throw bad
  const disabled = new Set(parsed.disabled ?? [])
  const keys = new Map(
    Object.entries(parsed.keys).map(([id, encoded]) => {
      const bytes = Buffer.from(encoded, 'base64')
      if (bytes.length !== KEY_BYTES || !ID_FORM.test(id)) throw bad
      return [id, { bytes, isDisabled: disabled.has(id) }]
    }),
  )
  if (!keys.has(parsed.current)) throw bad
  return { current: parsed.current, keys }
}

/** Add a key and make it the current one; what was wrapped before still opens. `text`: absent for the first. Throws KEY_REFUSED. */
export function addMasterKey(text: string | undefined, id: string, bytes: Uint8Array): string {
  const kept = text === undefined ? { keys: {} } : parse(text)
  if (kept === undefined || bytes.length !== KEY_BYTES || !ID_FORM.test(id) || Object.hasOwn(kept.keys, id)) {
    throw new BackstopError('KEY_REFUSED', 'a key of 32 bytes is added to keys under an id that none of them has')
  }
  const encoded = Buffer.from(bytes).toString('base64')
  return JSON.stringify({ ...kept, current: id, keys: { ...kept.keys, [id]: encoded } } satisfies MasterKeysText)
}

function parse(text: string): MasterKeysText | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return isMasterKeysText(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

function isMasterKeysText(value: unknown): value is MasterKeysText {
  const { current, keys, disabled = [] } = (value ?? {}) as { current?: unknown; keys?: unknown; disabled?: unknown }
  if (typeof current !== 'string' || keys === null || typeof keys !== 'object') return false
  return Object.values(keys).every(isString) && Array.isArray(disabled) && disabled.every(isString)
}

const isString = (value: unknown) => typeof value === 'string'
