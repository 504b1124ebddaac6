/** Flags of commands, with their types: one declaration gives the parser, the help and the type of the value. */
import { BackstopError } from '#lib/kernel/index.ts'

export interface Flag<T> {
  /** As the help shows it: `--table <name>`, `--yes`. */
  readonly term: string
  readonly summary: string
  readonly isRequired: boolean
  readonly choices?: readonly string[]
  readonly defaultText?: string
  /** May be given several times; its values come joined by NUL, which no argument can hold. */
  readonly isRepeatable?: boolean
  /** `undefined` when the flag is not given; `true` for a flag without a value. */
  read(given: string | true | undefined): T
}

export type Flags = Readonly<Record<string, Flag<unknown>>>
export type FlagValues<F extends Flags> = { readonly [Name in keyof F]: F[Name] extends Flag<infer T> ? T : never }

export function text(term: string, summary: string): Flag<string | undefined> {
  return { term, summary, isRequired: false, read: (given) => (given === true ? undefined : given) }
}

export function requiredText(term: string, summary: string): Flag<string> {
  return { term, summary, isRequired: true, read: (given) => String(given) }
}

export function repeated(term: string, summary: string): Flag<readonly string[]> {
  const read = (given: string | true | undefined) => (typeof given === 'string' ? given.split('\0') : [])
  return { term, summary: `${summary}; may be repeated`, isRequired: false, isRepeatable: true, read }
}

export function toggle(term: string, summary: string): Flag<boolean> {
  return { term, summary, isRequired: false, read: (given) => given === true }
}

/** One of a few words. Throws USAGE_INVALID for another. */
export function choice<T extends string>(term: string, summary: string, choices: readonly T[], preset: T): Flag<T> {
  return {
    term,
    summary,
    choices,
    defaultText: preset,
    isRequired: false,
    read: (given) => {
      if (given === undefined) return preset
      const found = choices.find((one) => one === given)
      if (found !== undefined) return found
      throw new BackstopError('USAGE_INVALID', `${nameOf(term)} must be one of ${choices.join(', ')}`)
    },
  }
}

/** One of a few words, or none. Throws USAGE_INVALID for another. */
export function optionalChoice<T extends string>(
  term: string,
  summary: string,
  choices: readonly T[],
): Flag<T | undefined> {
  const { defaultText: _, ...flag } = choice(term, summary, choices, choices[0] as T)
  return { ...flag, read: (given) => (given === undefined ? undefined : flag.read(given)) }
}

/** A whole number in a range. Throws USAGE_INVALID. */
export function integer(term: string, summary: string, least: number, most: number): Flag<number | undefined> {
  return {
    term,
    summary,
    isRequired: false,
    read: (given) => {
      if (given === undefined) return undefined
      const number = Number(given)
      if (Number.isInteger(number) && number >= least && number <= most) return number
      throw new BackstopError('USAGE_INVALID', `${nameOf(term)} must be a whole number from ${least} to ${most}`)
    },
  }
}

/** `a,b c` as a list without empty entries. */
export function list(term: string, summary: string): Flag<readonly string[] | undefined> {
  return {
    term,
    summary,
    isRequired: false,
    read: (given) => (typeof given === 'string' ? given.split(/[\s,]+/).filter((part) => part !== '') : undefined),
  }
}

function nameOf(term: string): string {
  return term.split(/[ ,]/)[0] ?? term
}
