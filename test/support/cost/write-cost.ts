/** Writes docs/cost.md: `npm run cost`. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { EXAMPLES, stacksOf, stageOf } from '../../infra/support/stages.ts'
import { countStage } from './count.ts'
import { renderCost } from './render.ts'

const target = join(import.meta.dirname, '..', '..', '..', 'docs', 'cost.md')
const text = renderCost(countStage(stacksOf(stageOf(EXAMPLES.prod))))
await writeFile(target, text)
process.stdout.write(`${text.split('\n## ')[0]}\n`)
