/** Writes objects until it is killed, and prints each key only after the store has confirmed it. */
import { openFolderObjectStore } from '#lib/adapters/embedded/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'

const [root = '', name = '', mode = 'own', count = '1000000000'] = process.argv.slice(2)
process.on('SIGXFSZ', () => undefined)
const store = await openFolderObjectStore({ root, clock: systemClock, random: systemRandom })

for (let n = 0; n < Number(count); n++) {
  const key = mode === 'own' ? `${name}/${n}` : `shared/${n}`
  const content = Buffer.alloc(mode === 'own' ? 200_000 * (n + 1) : 10, name)
  try {
    await store.put(key, content, { ifAbsent: true })
    console.log(key)
  } catch (error) {
    if (!isBackstopError(error)) throw error
    if (error.code === 'OBJECT_EXISTS') continue
    console.log(error.code)
    break
  }
}
