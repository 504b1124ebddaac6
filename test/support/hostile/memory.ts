/** How much memory the processes of a server take, from /proc. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

function parentOf(pid: string): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

/** Anonymous memory: buffers that processes share are left out. */
function privateBytes(pid: string): number {
  try {
    const line = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return Number(line?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

function serverProcesses(dataFolder: string): string[] {
  const postmaster = Number(readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8').split('\n')[0])
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === postmaster)
}

export interface MemoryWatch {
  /** Most that the server's processes took together since the watch began. */
  peakBytes(): number
  stop(): Promise<void>
}

const SAMPLE_EVERY_MS = 20

/** Sample the server until stopped. Only where there is a /proc; elsewhere the peak stays 0. */
export function watchMemory(dataFolder: string): MemoryWatch {
  let peakBytes = 0
  let isOver = false
  const sampling = (async () => {
    while (!isOver && process.platform === 'linux') {
      const total = serverProcesses(dataFolder).reduce((sum, pid) => sum + privateBytes(pid), 0)
      peakBytes = Math.max(peakBytes, total)
      await delay(SAMPLE_EVERY_MS)
    }
  })()
  return {
    peakBytes: () => peakBytes,
    stop: async () => {
      isOver = true
      await sampling
    },
  }
}
