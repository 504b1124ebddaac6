/** Makes the surroundings of one command from the process around it. */
import type { Block, CliStream, Surface } from '../terminal/index.ts'
import { isColourWanted, openAsker, openProgress, renderBlocks, SILENT_PROGRESS } from '../terminal/index.ts'
import type { CliIo, CommandContext, CommandResult } from './model.ts'

export interface OutputChoice {
  readonly isJson: boolean
  readonly isColourAllowed: boolean
}

export function surfaceOf(stream: CliStream, io: CliIo, choice: OutputChoice): Surface {
  const isTerminal = stream.isTTY === true
  const isColoured = isColourWanted(isTerminal, choice.isColourAllowed, io.environment)
  return { isTerminal, isColoured, ...(isTerminal && stream.columns ? { columns: stream.columns } : {}) }
}

/** Waits where the reader is slower than the writer; one that has gone away is not waited for. */
async function writeTo(stream: CliStream, text: string, signal: AbortSignal): Promise<void> {
  if (stream.write(text) || signal.aborted) return
  await new Promise<void>((resolve) => {
    stream.once('drain', resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

export function openContext(io: CliIo, choice: OutputChoice): CommandContext {
  const surface = surfaceOf(io.stdout, io, choice)
  const canAsk = !choice.isJson && io.isInputTty && io.stdout.isTTY === true
  const progress =
    io.stderr.isTTY === true && !choice.isJson ? openProgress(io.stderr, () => performance.now()) : SILENT_PROGRESS
  const show = async (data: object, blocks: readonly Block[]) => {
    progress.clear()
    await writeTo(io.stdout, choice.isJson ? `${JSON.stringify(data)}\n` : renderBlocks(blocks, surface), io.signal)
  }
  return {
    environment: io.environment,
    signal: io.signal,
    isJson: choice.isJson,
    isColoured: surface.isColoured,
    progress,
    ...(canAsk ? { ask: openAsker(io.signal) } : {}),
    show,
    write: (text) => writeTo(io.stdout, text, io.signal),
    note: (text) => {
      progress.clear()
      io.stderr.write(`${text}\n`)
    },
  }
}

/** One JSON document, or the blocks. */
export async function showResult(result: CommandResult, io: CliIo, choice: OutputChoice): Promise<void> {
  const text = choice.isJson
    ? `${JSON.stringify({ ok: result.ok, ...result.data }, null, 2)}\n`
    : renderBlocks(result.blocks, surfaceOf(io.stdout, io, choice))
  await writeTo(io.stdout, text, io.signal)
}
