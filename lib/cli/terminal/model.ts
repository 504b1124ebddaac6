/** The pieces that an answer for people is made of. */

export type Tone = 'plain' | 'good' | 'warning' | 'bad' | 'muted' | 'strong'

export interface Cell {
  readonly text: string
  readonly tone: Tone
}

export interface Column {
  readonly title: string
  readonly isRight?: boolean
}

export type Block =
  | { readonly kind: 'title'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string; readonly tone?: Tone }
  | { readonly kind: 'pairs'; readonly pairs: readonly (readonly [string, string | Cell])[] }
  | {
      readonly kind: 'table'
      readonly columns: readonly Column[]
      readonly rows: readonly (readonly (string | Cell)[])[]
      /** Instead of a table without rows. */
      readonly whenEmpty: string
    }
  /** To be copied: indented at a terminal, never wrapped. */
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }

/** How a stream can be written to. */
export interface Surface {
  readonly isColoured: boolean
  /** Tables get lines around them. */
  readonly isTerminal: boolean
  /** Width of the terminal in characters; absent: any line fits. */
  readonly columns?: number
}

/** An output stream, as far as the command line uses one. */
export interface CliStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): boolean
  once(event: 'drain', listener: () => void): unknown
}

export interface ProgressStep {
  readonly label: string
  readonly done: number
  readonly total: number
  /** `rows`, `bytes`; shown with the rate. */
  readonly unit: string
}

/** One line on standard error that rewrites itself; nothing where that is no terminal. */
export interface Progress {
  update(step: ProgressStep): void
  clear(): void
}

export interface Choice {
  readonly value: string
  readonly label: string
  readonly hint?: string
}

/** Questions to a person. All throw `Cancelled` on Ctrl-C. */
export interface Asker {
  choose(question: string, choices: readonly Choice[]): Promise<string>
  /** The same for a long list: typing narrows it. */
  find(question: string, choices: readonly Choice[]): Promise<string>
  /** `check` says what is wrong with an answer. Enter takes the preset. */
  write(question: string, preset: string, check: (answer: string) => string | undefined): Promise<string>
  confirm(question: string): Promise<boolean>
}

/** A person pressed Ctrl-C, or the process was told to end. */
export class Cancelled extends Error {
  constructor() {
    super('cancelled')
    this.name = 'Cancelled'
  }
}
