import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openFolderObjectStore } from '#lib/adapters/embedded/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { startChild } from '#test/support/children/child.ts'
import { eventually } from '#test/support/eventually.ts'
import { objectStoreContract } from './object-store.ts'

const writer = new URL('../support/children/write-objects.ts', import.meta.url)

const openAt = (root: string) => openFolderObjectStore({ root, clock: systemClock, random: systemRandom })
const newRoot = () => mkdtemp(join(tmpdir(), 'backstop-objects-'))
const content = Buffer.from('x')

objectStoreContract('folder', async () => {
  const root = await newRoot()
  return { store: await openAt(root), close: () => rm(root, { recursive: true }) }
})

objectStoreContract('folder with names for a file system that folds case', async () => {
  const root = await newRoot()
  await writeFile(join(root, '.layout'), 'folded\n')
  return { store: await openAt(root), close: () => rm(root, { recursive: true }) }
})

describe('object store: the folder itself', () => {
  let root: string
  beforeEach(async () => {
    root = await newRoot()
  })
  afterEach(() => rm(root, { recursive: true }))

  it('keeps an object under its own name, readable by its owner alone', async () => {
    await (await openAt(root)).put('snapshots/public/Orders/data.parquet', content)
    expect(await readFile(join(root, 'snapshots/public/Orders/data.parquet'), 'utf8')).toBe('x')
  })

  it('has no two names that differ in case alone once names are folded', async () => {
    await writeFile(join(root, '.layout'), 'folded\n')
    const store = await openAt(root)
    for (const key of ['orders', 'Orders', 'ORDERS', 'é', 'É']) await store.put(key, content, { ifAbsent: true })
    const names = (await readdir(root)).map((name) => name.toLowerCase())
    expect(new Set(names).size).toBe(names.length)
  })

  it('leaves no temporary file and no empty folder behind', async () => {
    const store = await openAt(root)
    await store.put('a/b/c', content)
    await expect(store.put('a/b/c', content, { ifAbsent: true })).rejects.toMatchObject({ code: 'OBJECT_EXISTS' })
    await (await store.openUpload('a/b/d')).abort()
    await store.delete('a/b/c')
    expect((await readdir(root)).sort()).toEqual(['.layout', '.tmp'])
    expect(await readdir(join(root, '.tmp'))).toEqual([])
  })

  it('sweeps old leftovers of killed writers when it opens, and leaves young ones', async () => {
    await openAt(root)
    await writeFile(join(root, '.tmp', 'old'), 'half')
    await writeFile(join(root, '.tmp', 'young'), 'half')
    const twoDaysAgoS = Date.now() / 1_000 - 2 * 86_400
    await utimes(join(root, '.tmp', 'old'), twoDaysAgoS, twoDaysAgoS)
    await openAt(root)
    expect(await readdir(join(root, '.tmp'))).toEqual(['young'])
  })

  it('follows no symbolic link out of the root', async () => {
    const outside = await newRoot()
    await writeFile(join(outside, 'secret'), 'secret')
    await symlink(outside, join(root, 'link'))
    await symlink(join(outside, 'secret'), join(root, 'file'))
    const store = await openAt(root)
    await expect(store.read('link/secret')).rejects.toMatchObject({ code: 'OBJECT_KEY_INVALID' })
    await expect(store.put('link/new', content)).rejects.toMatchObject({ code: 'OBJECT_KEY_INVALID' })
    await expect(store.put('link/new/deeper', content)).rejects.toMatchObject({ code: 'OBJECT_KEY_INVALID' })
    await expect(store.delete('link/secret')).rejects.toMatchObject({ code: 'OBJECT_KEY_INVALID' })
    await expect(store.read('file')).rejects.toMatchObject({ code: 'OBJECT_MISSING' })
    expect((await store.list('')).objects).toEqual([])
    expect(await readdir(outside)).toEqual(['secret'])
    await rm(outside, { recursive: true })
  })

  it('refuses a key that is the folder of another one', async () => {
    const store = await openAt(root)
    await store.put('a/b', content)
    await store.put('c', content)
    for (const options of [{}, { ifAbsent: true }]) {
      await expect(store.put('a', content, options)).rejects.toMatchObject({ code: 'OBJECT_KEY_INVALID' })
      await expect(store.put('c/d', content, options)).rejects.toMatchObject({ code: 'OBJECT_KEY_INVALID' })
    }
    expect((await store.list('')).objects.map((object) => object.key)).toEqual(['a/b', 'c'])
  })

  it('opens again with everything that was there', async () => {
    await (await openAt(root)).put('a/b', content)
    expect(Buffer.from(await (await openAt(root)).read('a/b')).toString()).toBe('x')
  })

  it('says that storage cannot be reached when the root is a file', async () => {
    await writeFile(join(root, 'file'), '')
    await expect(openAt(join(root, 'file'))).rejects.toMatchObject({ code: 'STORAGE_UNREACHABLE' })
  })

  it('survives writers and deleters that make and remove the same folders', async () => {
    const store = await openAt(root)
    await mkdir(join(root, 'busy'))
    const rounds = Array.from({ length: 60 }, (_, n) => n)
    await Promise.all(
      rounds.map(async (n) => {
        const key = `busy/${n % 3}/deep/${n}`
        await store.put(key, content)
        await store.delete(key)
      }),
    )
    expect((await store.list('')).objects).toEqual([])
  })

  it('gives each key to one of several processes that put what is absent', async () => {
    const names = ['1', '2', '3']
    const children = names.map((name) => startChild(writer, [root, name, 'contend', '60']))
    for (const child of children) expect(await child.ended).toBe(0)
    const store = await openAt(root)
    const { objects } = await store.list('shared/')
    expect(objects).toHaveLength(60)
    for (const { key } of objects) {
      const winner = Buffer.from(await store.read(key)).toString()[0] as string
      expect(children[names.indexOf(winner)]?.lines).toContain(key)
    }
    expect(children.reduce((sum, child) => sum + child.lines.length, 0)).toBe(60)
  })

  it('shows whole objects alone after a writer was killed', async () => {
    for (let round = 0; round < 4; round++) {
      const child = startChild(writer, [root, `${round}`])
      await eventually(() => child.lines.length > 5 + round * 3, { timeoutMs: 30_000 })
      await child.kill()
      const store = await openAt(root)
      const { objects } = await store.list(`${round}/`)
      for (const { key, sizeBytes } of objects) expect(sizeBytes).toBe(200_000 * (Number(key.split('/')[1]) + 1))
      const keys = objects.map((object) => object.key)
      for (const line of child.lines) expect(keys).toContain(line)
    }
  })

  it('reports a full disk, and leaves nothing of the object that did not fit', async () => {
    const child = startChild(writer, [root, 'w'], { fileLimitKb: 2_048 })
    expect(await child.ended).toBe(0)
    expect(child.lines.at(-1)).toBe('STORAGE_UNREACHABLE')
    const { objects } = await (await openAt(root)).list('w/')
    expect(new Set(objects.map((object) => object.key))).toEqual(new Set(child.lines.slice(0, -1)))
    expect(await readdir(join(root, '.tmp'))).toEqual([])
  })
})
