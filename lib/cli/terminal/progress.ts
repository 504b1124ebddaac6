/** Progress on one line of a terminal: how much, how fast, how long still. */
import type { CliStream, Progress, ProgressStep } from './model.ts'

const REDRAW_MS = 100
const CLEAR_LINE = '\r\u001b[2K'

export const SILENT_PROGRESS: Progress = { update: () => {}, clear: () => {} }

function formatNumber(count: number, unit: string): string {
  return unit === 'bytes' ? formatBytes(count) : Math.round(count).toLocaleString('en-US')
}

function formatCount(count: number, unit: string): string {
  return unit === 'bytes' ? formatBytes(count) : `${formatNumber(count, unit)} ${unit}`
}

export function formatBytes(sizeBytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = sizeBytes
  let index = 0
  for (; value >= 1_024 && index < units.length - 1; index++) value /= 1_024
  return `${index === 0 ? value : value.toFixed(1)} ${units[index]}`
}

/** `8s`, `12 min`, `3 h`, `5 d`. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1_000))
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`
}

/** `load 1,200 of 3,000 rows (40%), 900 rows/s, 2s left`; without a total, bytes so far and the rate. Pure. */
export function describeProgress(step: ProgressStep, elapsedMs: number): string {
  if (step.total === 0 && step.done > 0) return describeOpenEnd(step, elapsedMs)
  const share = step.total > 0 ? Math.min(100, Math.floor((step.done * 100) / step.total)) : 100
  const start = `${step.label} ${formatNumber(step.done, step.unit)} of ${formatCount(step.total, step.unit)} (${share}%)`
  if (elapsedMs < 1_000 || step.done === 0) return start
  const perMs = step.done / elapsedMs
  const left = formatDuration((step.total - step.done) / perMs)
  return `${start}, ${formatCount(perMs * 1_000, step.unit)}/s, ${left} left`
}

/** `dumped 12.0 MiB, 3.0 MiB/s`: how much there is to do is not known. */
function describeOpenEnd({ label, done, unit }: ProgressStep, elapsedMs: number): string {
  const start = `${label} ${formatCount(done, unit)}`
  return elapsedMs < 1_000 ? start : `${start}, ${formatCount((done / elapsedMs) * 1_000, unit)}/s`
}

export function openProgress(stream: CliStream, monotonicMs: () => number): Progress {
  let label: string | undefined
  let startedMs = 0
  let drawnMs = Number.NEGATIVE_INFINITY
  return {
    update(step) {
      const nowMs = monotonicMs()
      if (step.label !== label) {
        label = step.label
        startedMs = nowMs
      }
      if (nowMs - drawnMs < REDRAW_MS) return
      drawnMs = nowMs
      stream.write(`${CLEAR_LINE}${describeProgress(step, nowMs - startedMs)}`)
    },
    clear() {
      if (drawnMs === Number.NEGATIVE_INFINITY) return
      drawnMs = Number.NEGATIVE_INFINITY
      label = undefined
      stream.write(CLEAR_LINE)
    },
  }
}
