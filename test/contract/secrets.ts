/** What every place of secrets promises. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ErrorCode } from '#lib/kernel/index.ts'
import type { Secrets } from '#lib/ports/index.ts'

export interface OpenedSecrets {
  readonly secrets: Secrets
  /** Write a value as an operator does. */
  set(name: string, value: string): Promise<void>
  remove(name: string): Promise<void>
  /** Let the time pass after which a changed value is seen. */
  settle(): void
  close(): Promise<void>
}

export function secretsContract(name: string, open: () => Promise<OpenedSecrets>): void {
  describe(`secrets: ${name}`, () => {
    let opened: OpenedSecrets
    let secrets: Secrets
    beforeAll(async () => {
      opened = await open()
      secrets = opened.secrets
    })
    afterAll(() => opened.close())

    let count = 0
    const newName = () => `BACKSTOP_TEST_${++count}`
    const refusal = async (promise: Promise<unknown>, code: ErrorCode) => {
      const error = await promise.then(
        () => expect.unreachable('it was not refused'),
        (thrown: unknown) => thrown as Error,
      )
      expect(error).toMatchObject({ name: 'BackstopError', code })
      return `${error.message} ${JSON.stringify(error)} ${error.stack} ${String(error.cause)}`
    }

    it.each([
      ['plain', 'a-value'],
      ['with spaces at both ends', '  a value\t '],
      ['of several lines', '-----BEGIN KEY-----\nabc\n-----END KEY-----'],
      ['in any script', 'pässwörd 密码 💾'],
      ['that looks like a command', `$(id) "'; DROP TABLE x; --`],
      ['of 60,000 characters', 'x'.repeat(60_000)],
    ])('returns a value %s', async (_, value) => {
      const name = newName()
      await opened.set(name, value)
      expect(await secrets.get(name)).toBe(value)
      expect(await secrets.find(name)).toBe(value)
    })

    it('finds nothing where there is nothing, and names what is needed', async () => {
      const name = newName()
      expect(await secrets.find(name)).toBeUndefined()
      expect(await refusal(secrets.get(name), 'SECRET_MISSING')).toContain(name)
      expect(await secrets.find(`${name}#member`)).toBeUndefined()
    })

    it('returns a member of a JSON secret, and the whole of it', async () => {
      const name = newName()
      const text = '{"username":"app","password":"p#ss\\u00e4","port":5432}'
      await opened.set(name, text)
      expect(await secrets.get(`${name}#password`)).toBe('p#ssä')
      expect(await secrets.get(`${name}#port`)).toBe('5432')
      expect(await secrets.get(name)).toBe(text)
    })

    it.each([
      ['lacks the member', '{"username":"hidden-word"}'],
      ['has an object there', '{"password":{"x":"hidden-word"}}'],
      ['is no JSON', 'hidden-word {'],
      ['is a list', '["hidden-word"]'],
      ['is null', 'null'],
    ])('refuses a member of a secret that %s, and shows nothing of it', async (_, text) => {
      const name = newName()
      await opened.set(name, text)
      for (const member of ['password', 'constructor', '__proto__', '']) {
        const shown = await refusal(secrets.get(`${name}#${member}`), 'SECRET_MISSING')
        expect(shown).toContain(name)
        expect(shown).not.toContain('hidden-word')
      }
    })

    it('sees a new value, and that one is gone, after its time', async () => {
      const name = newName()
      await opened.set(name, 'old')
      expect(await secrets.get(name)).toBe('old')
      await opened.set(name, 'new')
      opened.settle()
      expect(await secrets.get(name)).toBe('new')
      await opened.remove(name)
      opened.settle()
      expect(await secrets.find(name)).toBeUndefined()
      await refusal(secrets.get(name), 'SECRET_MISSING')
    })

    it('answers many at once', async () => {
      const name = newName()
      await opened.set(name, 'one')
      expect(new Set(await Promise.all(Array.from({ length: 30 }, () => secrets.get(name))))).toEqual(new Set(['one']))
    })

    it.each(['', '../../etc/passwd\u0000', 'a b', 'a\nb', '#member', '$(id)'])('refuses the name %j', async (name) => {
      await refusal(secrets.get(name), 'SECRET_MISSING')
    })
  })
}
