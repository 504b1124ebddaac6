/** The environment's variables as checked values, with an error that names every malformed one. */
import { z } from 'zod'
import { BackstopError } from '#lib/kernel/index.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export const wholeNumber = (least: number, most: number, preset: number) =>
  z.coerce.number().int().min(least).max(most).default(preset)

/** `true`, `false`, `1` or `0`; absent: false. */
export const flag = z
  .enum(['true', 'false', '1', '0'])
  .default('false')
  .transform((text) => text === 'true' || text === '1')

/** Split at commas, trimmed; absent: empty. */
export const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== ''),
  )

function problemText(issue: z.core.$ZodIssue): string {
  return `${String(issue.path[0])}: ${issue.message}`
}

/**
 * Read the variables that the schema names; an empty one counts as absent.
 *
 * Throws: CONFIG_INVALID naming every malformed variable and no value
 */
export function readVariables<S extends z.ZodObject>(schema: S, environment: Environment): z.output<S> {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  throw new BackstopError(
    'CONFIG_INVALID',
    `The environment is malformed. ${parsed.error.issues.map(problemText).join('; ')}.`,
  )
}

/** A member that is left out when its value is absent. */
export function optional<Name extends string>(
  name: Name,
  value: string | undefined,
): { readonly [K in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [K in Name]?: string }
}
