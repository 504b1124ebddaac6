/** What every object store promises: nothing here is more than S3 can do. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ErrorCode } from '#lib/kernel/index.ts'
import type { ObjectInfo, ObjectStore } from '#lib/ports/index.ts'

export interface OpenedObjectStore {
  readonly store: ObjectStore
  /** Less than 1,024 for a store that lies under a prefix. */
  readonly longestKeyBytes?: number
  close(): Promise<void>
}

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (content: Uint8Array) => new TextDecoder().decode(content)
const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')

export function objectStoreContract(name: string, open: () => Promise<OpenedObjectStore>): void {
  describe(`object store: ${name}`, () => {
    let opened: OpenedObjectStore
    let store: ObjectStore
    beforeAll(async () => {
      opened = await open()
      store = opened.store
    })
    afterAll(() => opened.close())

    const newFolder = () => `test-${randomUUID()}`
    const rejects = (promise: Promise<unknown>, code: ErrorCode) =>
      expect(promise).rejects.toMatchObject({ name: 'BackstopError', code })
    const listAll = async (prefix: string) => {
      const objects: ObjectInfo[] = []
      let cursor: string | undefined
      do {
        const page = await store.list(prefix, cursor)
        expect(page.objects.length).toBeLessThanOrEqual(1_000)
        objects.push(...page.objects)
        cursor = page.cursor
      } while (cursor !== undefined)
      return objects
    }
    const keysUnder = async (prefix: string) => (await listAll(prefix)).map((object) => object.key)
    const stream = async (key: string) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of store.readStream(key)) chunks.push(chunk)
      return Buffer.concat(chunks)
    }

    describe('one object', () => {
      it('returns what was put, and says its size and digest', async () => {
        const key = `${newFolder()}/a.bin`
        const content = randomBytes(700_000)
        expect(await store.put(key, content)).toEqual({ sizeBytes: 700_000, sha256: sha256(content) })
        expect(Buffer.compare(await store.read(key), content)).toBe(0)
        expect(Buffer.compare(await stream(key), content)).toBe(0)
        expect(await store.find(key)).toMatchObject({ key, sizeBytes: 700_000 })
      })

      it('keeps an empty object', async () => {
        const key = `${newFolder()}/empty`
        expect(await store.put(key, new Uint8Array())).toEqual({ sizeBytes: 0, sha256: sha256(Buffer.alloc(0)) })
        expect(await store.read(key)).toHaveLength(0)
        expect(await store.find(key)).toMatchObject({ sizeBytes: 0 })
      })

      it('says that an object is missing', async () => {
        const key = `${newFolder()}/none`
        expect(await store.find(key)).toBeUndefined()
        await rejects(store.read(key), 'OBJECT_MISSING')
        await rejects(stream(key), 'OBJECT_MISSING')
      })

      it('replaces an object as a whole', async () => {
        const key = `${newFolder()}/a`
        await store.put(key, bytes('the first and longer content'))
        await store.put(key, bytes('second'))
        expect(text(await store.read(key))).toBe('second')
      })

      it('does not overwrite when asked to write only what is absent', async () => {
        const key = `${newFolder()}/a`
        await store.put(key, bytes('first'), { ifAbsent: true })
        await rejects(store.put(key, bytes('second'), { ifAbsent: true }), 'OBJECT_EXISTS')
        expect(text(await store.read(key))).toBe('first')
      })

      it('deletes, also what is not there, and lets the key be used again', async () => {
        const key = `${newFolder()}/deep/down/a`
        await store.put(key, bytes('x'))
        await store.delete(key)
        await store.delete(key)
        expect(await store.find(key)).toBeUndefined()
        await store.put(key, bytes('y'), { ifAbsent: true })
        expect(text(await store.read(key))).toBe('y')
      })

      it('gives a folder of keys no object of its own', async () => {
        const folder = newFolder()
        await store.put(`${folder}/sub/a`, bytes('x'))
        expect(await store.find(`${folder}/sub`)).toBeUndefined()
        await rejects(store.read(`${folder}/sub`), 'OBJECT_MISSING')
        await store.delete(`${folder}/sub`)
        expect(await keysUnder(`${folder}/`)).toEqual([`${folder}/sub/a`])
      })
    })

    describe('ranges', () => {
      it('reads exactly the bytes asked for', async () => {
        const key = `${newFolder()}/a`
        const content = randomBytes(600_000)
        await store.put(key, content)
        for (const [startByte, lengthBytes] of [
          [0, 1],
          [0, 600_000],
          [599_999, 1],
          [262_143, 2],
          [1, 300_000],
        ] as const) {
          const part = await store.read(key, { startByte, lengthBytes })
          expect(Buffer.compare(part, content.subarray(startByte, startByte + lengthBytes))).toBe(0)
        }
      })

      it('refuses a range that is empty or reaches outside', async () => {
        const key = `${newFolder()}/a`
        await store.put(key, bytes('0123456789'))
        for (const [startByte, lengthBytes] of [
          [0, 11],
          [10, 1],
          [5, 6],
          [-1, 2],
          [0, 0],
          [0.5, 1],
          [Number.NaN, 1],
        ] as const) {
          await rejects(store.read(key, { startByte, lengthBytes }), 'OBJECT_RANGE_INVALID')
        }
      })
    })

    describe('uploads', () => {
      it('shows nothing before the commit and everything after it', async () => {
        const folder = newFolder()
        const upload = await store.openUpload(`${folder}/a`)
        const parts = Array.from({ length: 40 }, () => randomBytes(50_000))
        for (const part of parts) await upload.write(part)
        expect(await store.find(`${folder}/a`)).toBeUndefined()
        expect(await keysUnder(folder)).toEqual([])
        const content = Buffer.concat(parts)
        expect(await upload.commit()).toEqual({ sizeBytes: content.length, sha256: sha256(content) })
        expect(Buffer.compare(await store.read(`${folder}/a`), content)).toBe(0)
      })

      it('leaves nothing after an abort, however often it is called', async () => {
        const folder = newFolder()
        const upload = await store.openUpload(`${folder}/a`)
        await upload.write(bytes('x'))
        await upload.abort()
        await upload.abort()
        expect(await keysUnder(folder)).toEqual([])
        await rejects(upload.commit(), 'BUG')
      })

      it('keeps the old object until the new one is complete', async () => {
        const key = `${newFolder()}/a`
        await store.put(key, bytes('old'))
        const upload = await store.openUpload(key)
        await upload.write(bytes('new'))
        expect(text(await store.read(key))).toBe('old')
        await upload.commit()
        expect(text(await store.read(key))).toBe('new')
      })

      it('gives many uploads of one absent key one winner, whose content stands', async () => {
        const key = `${newFolder()}/a`
        const uploads = await Promise.all(Array.from({ length: 12 }, () => store.openUpload(key, { ifAbsent: true })))
        await Promise.all(uploads.map((upload, n) => upload.write(bytes(`writer ${n}`))))
        const results = await Promise.allSettled(uploads.map((upload) => upload.commit()))
        const winners = results.flatMap((result, n) => (result.status === 'fulfilled' ? [n] : []))
        expect(winners).toHaveLength(1)
        expect(text(await store.read(key))).toBe(`writer ${winners[0]}`)
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'OBJECT_EXISTS' })
        }
        await Promise.all(uploads.map((upload) => upload.abort()))
      })

      it('shows a reader one whole content while writers replace it', async () => {
        const key = `${newFolder()}/a`
        const contents = Array.from({ length: 10 }, (_, n) => Buffer.alloc(300_000 + n, n))
        await store.put(key, contents[0] as Buffer)
        const digests = new Set(contents.map(sha256))
        const writing = Promise.all(contents.map((content) => store.put(key, content)))
        for (let round = 0; round < 10; round++) expect(digests).toContain(sha256(await store.read(key)))
        await writing
      })
    })

    describe('keys', () => {
      const refused = [
        '',
        '/',
        '/a',
        'a/',
        'a//b',
        '.',
        '..',
        'a/../b',
        './a',
        '../../etc/passwd',
        'a/..',
        'a\u0000b',
        'a\nb',
        '\u007f',
        '\ud800',
        'x'.repeat(1_025),
        'é'.repeat(513),
      ]
      it.each(refused.map((key) => [JSON.stringify(key).slice(0, 30), key]))('refuses %s', async (_, key) => {
        await rejects(store.put(key, bytes('x')), 'OBJECT_KEY_INVALID')
        await rejects(store.read(key), 'OBJECT_KEY_INVALID')
        await rejects(store.find(key), 'OBJECT_KEY_INVALID')
        await rejects(store.delete(key), 'OBJECT_KEY_INVALID')
      })

      const hostile = [
        'a',
        'A',
        'é',
        'e\u0301',
        'a b',
        ' a',
        'a ',
        'a.',
        '...',
        '..a',
        '.tmp',
        '.hidden',
        '.layout',
        '%2e%2e',
        '%',
        '%41',
        '%+',
        'x%+',
        'a\\b',
        '..\\..\\x',
        'C:',
        'con',
        'a:b',
        'a*?"<>|',
        "'; rm -rf ~; '",
        '$HOME',
        '~',
        '-rf',
        '💾',
        '\u202e',
        '\ufffd',
        '\uffff',
        '\u{10000}',
        'x'.repeat(255),
        'x'.repeat(700),
        `${'x'.repeat(199)}.${'y'.repeat(300)}`,
        `${'x'.repeat(200)}..`,
        '%'.repeat(300),
        '💾'.repeat(150),
      ]
      it('keeps hostile names apart, finds each and lists all in byte order', async () => {
        const folder = newFolder()
        const keys = hostile.map((segment) => `${folder}/${segment}/o`)
        for (const key of keys) await store.put(key, bytes(key), { ifAbsent: true })
        for (const key of keys) expect(text(await store.read(key))).toBe(key)
        const inOrder = [...keys].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
        expect(await keysUnder(`${folder}/`)).toEqual(inOrder)
        for (const key of keys) expect(await keysUnder(key)).toEqual([key])
      })

      it('keeps a key as long as keys may be', async () => {
        const folder = newFolder()
        for (const filler of ['x', '%']) {
          const key = `${folder}/${filler.repeat((opened.longestKeyBytes ?? 1_024) - 1 - folder.length)}`
          await store.put(key, bytes('x'))
          expect(await keysUnder(`${folder}/${filler}`)).toEqual([key])
        }
      })
    })

    describe('listings', () => {
      it('orders by bytes, where folders and names mix', async () => {
        const folder = newFolder()
        const keys = ['a!', 'a-b', 'a.b', 'a/b', 'a/b.c', 'a/c/d', 'a0', 'aa', 'b'].map((name) => `${folder}/${name}`)
        for (const key of [...keys].reverse()) await store.put(key, bytes('x'))
        expect(await keysUnder(`${folder}/`)).toEqual(keys)
        expect(await keysUnder(`${folder}/a/`)).toEqual(keys.slice(3, 6))
        expect(await keysUnder(`${folder}/a/b`)).toEqual(keys.slice(3, 5))
        expect(await keysUnder(`${folder}/nothing`)).toEqual([])
      })

      it('does not take one folder for another that begins like it', async () => {
        const folder = newFolder()
        await store.put(`${folder}/one`, bytes('x'))
        await store.put(`${folder}-more/two`, bytes('x'))
        expect(await keysUnder(`${folder}/`)).toEqual([`${folder}/one`])
        expect(await keysUnder(folder)).toEqual([`${folder}-more/two`, `${folder}/one`])
      })

      it('pages through 2,500 objects, each once', async () => {
        const folder = newFolder()
        const keys = Array.from({ length: 2_500 }, (_, n) => `${folder}/${n % 7}/${String(n).padStart(5, '0')}`).sort()
        for (let start = 0; start < keys.length; start += 50) {
          await Promise.all(keys.slice(start, start + 50).map((key) => store.put(key, bytes('x'))))
        }
        expect(await keysUnder(`${folder}/`)).toEqual(keys)
      })

      it('refuses a cursor of another listing', async () => {
        await rejects(store.list('a', 'nonsense'), 'CURSOR_INVALID')
        await rejects(store.list('a/../b'), 'OBJECT_KEY_INVALID')
      })
    })
  })
}
