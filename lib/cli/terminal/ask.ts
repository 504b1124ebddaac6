/** Questions to a person at a terminal. */
import { oneLine } from './colour.ts'
import type { Asker, Choice } from './model.ts'
import { Cancelled } from './model.ts'

/** Clack tells of Ctrl-C by a symbol. */
function answered<T>(answer: T): Exclude<T, symbol> {
  if (typeof answer === 'symbol') throw new Cancelled()
  return answer as Exclude<T, symbol>
}

function optionsOf(choices: readonly Choice[]) {
  return choices.map(({ value, label, hint }) => ({
    value,
    label: oneLine(label),
    ...(hint === undefined ? {} : { hint: oneLine(hint) }),
  }))
}

const SHOWN_AT_ONCE = 10

/** The signal ends a question that waits, as Ctrl-C does. */
export function openAsker(signal: AbortSignal): Asker {
  return {
    async choose(question, choices) {
      const { select } = await import('@clack/prompts')
      const options = optionsOf(choices)
      return answered(await select({ message: question, options, maxItems: SHOWN_AT_ONCE, signal }))
    },
    async find(question, choices) {
      const { autocomplete } = await import('@clack/prompts')
      const options = optionsOf(choices)
      return answered(await autocomplete({ message: question, options, maxItems: SHOWN_AT_ONCE, signal }))
    },
    async write(question, preset, check) {
      const { text } = await import('@clack/prompts')
      const validate = (answer: string | undefined) => check(answer || preset)
      return (
        answered(await text({ message: question, placeholder: preset, defaultValue: preset, validate, signal })) ||
        preset
      )
    },
    async confirm(question) {
      const { confirm } = await import('@clack/prompts')
      return answered(await confirm({ message: question, initialValue: false, signal }))
    },
  }
}
