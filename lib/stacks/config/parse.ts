/** An environment's config as somebody wrote it → a checked one, or a refusal that names each field. */
import { TUNING } from '../functions/environment.ts'
import { type Environment, environmentSchema } from './model.ts'

/** The config of an environment cannot be used; the message has one line for each field. */
export class EnvironmentInvalid extends Error {
  override readonly name = 'EnvironmentInvalid'
}

function assertTuning(environment: Environment): void {
  const unknown = Object.keys(environment.settings).filter((key) => !TUNING.includes(key))
  if (unknown.length === 0) return
  throw new EnvironmentInvalid(
    `The environment "${environment.name}" cannot be used.\n  settings.${unknown[0]}: no function reads it. ` +
      `Known are ${TUNING.join(', ')}.`,
  )
}

/** Throws EnvironmentInvalid. `origin` says where the config came from. */
export function parseEnvironment(input: unknown, origin: string): Environment {
  const parsed = environmentSchema.safeParse(input)
  if (parsed.success) {
    assertTuning(parsed.data)
    return parsed.data
  }
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(the file)'}: ${issue.message}`)
  throw new EnvironmentInvalid(
    `${origin} is no usable environment.\n${lines.join('\n')}\nCorrect these fields; config/dev.ts is an example.`,
  )
}
