/** Questions to a person at a terminal. */
import { oneLine } from './colour.ts'
import type { Asker } from './model.ts'
import { Cancelled } from './model.ts'

/** Clack tells of Ctrl-C by a symbol. */
function answered<T>(answer: T): Exclude<T, symbol> {
  if (typeof answer === 'symbol') throw new Cancelled()
  return answer as Exclude<T, symbol>
}

/** The signal ends a question that waits, as Ctrl-C does. */
export function openAsker(signal: AbortSignal): Asker {
  return {
    async choose(question, choices) {
      const options = choices.map(({ value, label, hint }) => ({
        value,
        label: oneLine(label),
        ...(hint === undefined ? {} : { hint: oneLine(hint) }),
      }))
      const { select } = await import('@clack/prompts')
      return answered(await select({ message: question, options, signal }))
    },
    async confirm(question) {
      const { confirm } = await import('@clack/prompts')
      return answered(await confirm({ message: question, initialValue: false, signal }))
    },
  }
}
