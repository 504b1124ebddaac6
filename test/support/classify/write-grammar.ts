/** Write lib/gate/classify/tree/grammar.ts from the installed parser: `node test/support/classify/write-grammar.ts`. */
import { writeFileSync } from 'node:fs'
import { ANALYSIS_KINDS } from '../../../lib/gate/classify/tree/analysis-kinds.ts'
import { declaredKinds, grammarText } from './grammar-text.ts'

const target = new URL('../../../lib/gate/classify/tree/grammar.ts', import.meta.url)
writeFileSync(target, grammarText(declaredKinds(), ANALYSIS_KINDS))
