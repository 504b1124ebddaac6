/** The variables of one function: each is asked for where it is needed, and a missing one says who sets it. */
import { z } from 'zod'
import { BackstopError } from '#lib/kernel/index.ts'
import { PRODUCT_VARIABLES, type ProductSettings, productSettings, readVariables } from '#lib/product/index.ts'

declare const BACKSTOP_BUILD_VERSION: string | undefined

/** The product's version, written into the bundle when it is built. */
export const VERSION = typeof BACKSTOP_BUILD_VERSION === 'string' ? BACKSTOP_BUILD_VERSION : '0.0.0'

export function findVariable(name: string): string | undefined {
  const text = process.env[name]
  return text === '' ? undefined : text
}

/** Throws CONFIG_INVALID. */
export function getVariable(name: string): string {
  const text = findVariable(name)
  if (text !== undefined) return text
  throw new BackstopError('CONFIG_INVALID', `${name} is not set. The stack sets it: deploy again.`)
}

/** A whole number of seconds, or the preset. Throws CONFIG_INVALID. */
export function getSeconds(name: string, preset: number): number {
  const text = findVariable(name)
  if (text === undefined) return preset
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new BackstopError('CONFIG_INVALID', `${name} must be a whole number of seconds.`)
}

const schema = z.object(PRODUCT_VARIABLES)

/** The settings that mean the same wherever the product runs. Throws CONFIG_INVALID naming every malformed variable. */
export function readSettings(): ProductSettings {
  return productSettings(readVariables(schema, process.env), process.env)
}
