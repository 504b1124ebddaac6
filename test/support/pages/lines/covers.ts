/** Declares the test of a line. Its name begins with the line's id, by which the table finds it. */
import { test } from 'vitest'
import { LINES, type LineId } from './pages.ts'

export function covers(id: LineId, proof: string, run: () => Promise<void>, timeoutMs?: number): void {
  test(`${id} ${LINES[id][1]} → ${proof}`, run, timeoutMs)
}
