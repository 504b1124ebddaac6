/** A person at a terminal who answers by script. */
import type { CommandContext } from '#lib/cli/frame/index.ts'
import { type Asker, type Block, Cancelled, type Choice, SILENT_PROGRESS } from '#lib/cli/terminal/index.ts'

interface Question {
  readonly question: string
  readonly choices?: readonly Choice[]
  readonly problem?: string | undefined
}

/** Answers in turn: the index of a choice, a text, yes or no. What was asked and shown is kept. */
export function person(answers: readonly (number | string | boolean)[]) {
  const asked: Question[] = []
  const shown: Block[] = []
  const left = [...answers]
  const pick = async (question: string, choices: readonly Choice[]) => {
    asked.push({ question, choices })
    const answer = left.shift()
    if (answer === undefined) throw new Cancelled()
    return choices[Number(answer)]?.value ?? String(answer)
  }
  const ask: Asker = {
    choose: pick,
    find: pick,
    write: async (question, preset, check) => {
      const answer = String(left.shift() ?? '')
      asked.push({ question, problem: check(answer || preset) })
      return answer || preset
    },
    confirm: async (question) => {
      asked.push({ question })
      return left.shift() === true
    },
  }
  const context = {
    environment: {},
    signal: new AbortController().signal,
    isJson: false,
    isColoured: false,
    progress: SILENT_PROGRESS,
    ask,
    show: async (_: object, blocks: readonly Block[]) => {
      shown.push(...blocks)
    },
    write: async () => {},
    note: () => {},
  } as unknown as CommandContext
  return { asked, shown, context }
}
