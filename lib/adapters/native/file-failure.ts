/** What the file system says went wrong, as an error of the product. Pure. */
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'

export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : undefined
}

/** Our own errors stay what they are, as do aborts and those of whoever made the content. */
export function asFileError(error: unknown, path: string): unknown {
  const errno = errnoOf(error)
  if (isBackstopError(error) || errno === undefined || errno === 'ABORT_ERR') return error
  return new BackstopError('LOCAL_FILE_FAILED', `${path}: ${WORDS[errno] ?? errno}`, {
    cause: error,
    details: { errno },
  })
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EFBIG: 'the file may not become so large',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTDIR: 'a file lies where a folder should be',
  EISDIR: 'it is a folder',
  EROFS: 'the disk is read-only',
}
