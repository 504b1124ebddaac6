import { describe, expect, inject, it } from 'vitest'
import { openKmsKeyRing } from '#lib/adapters/aws/index.ts'
import { keyRingContract } from '#test/contract/key-ring.ts'
import { openTestKeys } from '#test/support/cloud/secrets.ts'

const endpoint = inject('cloudEndpoint')

keyRingContract('KMS', async () => {
  const keys = openTestKeys(endpoint)
  const keyIds = [await keys.create()]
  const openWith = ([keyId = '', ...formerKeyIds]: readonly string[]) =>
    openKmsKeyRing({ aws: keys.aws, keyId, formerKeyIds })
  return {
    ring: openWith(keyIds),
    rotate: async () => {
      keyIds.unshift(await keys.create())
      return openWith(keyIds)
    },
    setEnabled: keys.setEnabled,
    openOther: async () => openWith([await keys.create()]),
    close: async () => keys.close(),
  }
})

describe('KMS itself', () => {
  it('says that a key is missing', async () => {
    const { aws } = openTestKeys(endpoint)
    const ring = openKmsKeyRing({ aws, keyId: '00000000-0000-0000-0000-000000000000' })
    await expect(ring.generateDataKey({ a: '1' })).rejects.toMatchObject({ code: 'KEY_MISSING' })
  })

  it('names the key that wrapped by its ARN', async () => {
    const keys = openTestKeys(endpoint)
    const keyId = await keys.create()
    const ring = openKmsKeyRing({ aws: keys.aws, keyId })
    expect((await ring.generateDataKey({ a: '1' })).keyId).toMatch(new RegExp(`^arn:aws:kms:.*:key/${keyId}$`))
  })
})
