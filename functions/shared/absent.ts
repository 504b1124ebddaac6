/** Stands where this function has no part: its routes never come here, and if one did, it would be refused. */
import { BackstopError } from '#lib/kernel/index.ts'

/** Every member is a function that rejects with BUG, naming what is absent. */
export function absent<T extends object>(what: string): T {
  const refuse = async () => {
    throw new BackstopError('BUG', `this function has no ${what}`)
  }
  return new Proxy({} as T, { get: () => refuse })
}
