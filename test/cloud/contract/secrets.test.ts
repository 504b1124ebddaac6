import { describe, expect, inject, it } from 'vitest'
import { openSecretsManagerSecrets } from '#lib/adapters/aws/index.ts'
import { secretsContract } from '#test/contract/secrets.ts'
import { openTestSecrets } from '#test/support/cloud/secrets.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'

const endpoint = inject('cloudEndpoint')
const CACHE_MS = 60_000

secretsContract('Secrets Manager', async () => {
  const clock = createFixedClock()
  const { aws, set, remove, close } = openTestSecrets(endpoint)
  const secrets = openSecretsManagerSecrets({ aws, clock, cacheMs: CACHE_MS })
  return {
    secrets,
    set,
    remove,
    settle: () => clock.advance(CACHE_MS),
    close: async () => {
      secrets.close()
      close()
    },
  }
})

secretsContract('Secrets Manager without a cache', async () => {
  const { aws, set, remove, close } = openTestSecrets(endpoint)
  const secrets = openSecretsManagerSecrets({ aws, cacheMs: 0 })
  return { secrets, set, remove, settle: () => {}, close: async () => close() }
})

describe('Secrets Manager itself', () => {
  const open = () => {
    const test = openTestSecrets(endpoint)
    return { ...test, secrets: openSecretsManagerSecrets({ aws: test.aws }) }
  }

  it('takes paths and ARNs for names', async () => {
    const { secrets, set, aws } = open()
    await set('backstop/prod/db', '{"password":"p"}')
    expect(await secrets.get('backstop/prod/db#password')).toBe('p')
    const arn = `arn:aws:secretsmanager:${aws.region}:${aws.credentials?.accessKeyId}:secret:backstop/prod/none-AbCdEf`
    expect(await secrets.find(arn)).toBeUndefined()
  })

  it('counts a secret that waits for its deletion as missing', async () => {
    const { secrets, set, remove } = open()
    await set('leaving', 'x')
    await remove('leaving', false)
    expect(await secrets.find('leaving')).toBeUndefined()
  })

  it('refuses bytes', async () => {
    const { secrets, setBytes } = open()
    await setBytes('bytes', Buffer.from('hidden-word'))
    await expect(secrets.get('bytes')).rejects.toMatchObject({
      code: 'SECRET_MISSING',
      message: expect.stringContaining('keep a text in it'),
    })
  })
})
