/** What the file system says went wrong, as an error of the product. */
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'

export function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : undefined
}

export function objectMissing(key: string): BackstopError {
  return new BackstopError('OBJECT_MISSING', `there is no object ${key}`, { details: { key } })
}

export function objectExists(key: string): BackstopError {
  return new BackstopError('OBJECT_EXISTS', `the object ${key} exists`, { details: { key } })
}

/** A path below the root that leads elsewhere, or a key that is also the folder of other keys. */
export function keyRefused(key: string, reason: string): BackstopError {
  return new BackstopError('OBJECT_KEY_INVALID', `the object key ${key} cannot be used: ${reason}`, {
    details: { key },
  })
}

/** A BackstopError stays what it is; everything else means that the storage cannot be reached. */
export function asStorageError(error: unknown): BackstopError {
  if (isBackstopError(error)) return error
  const reason = errnoOf(error) ?? 'unknown failure'
  return new BackstopError('STORAGE_UNREACHABLE', `the object storage failed: ${reason}`, {
    cause: error,
    details: { reason },
  })
}

/** As `asStorageError`, where the file or a folder above it may not be there. */
export function asReadError(error: unknown, key: string): BackstopError {
  const errno = errnoOf(error)
  if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'EISDIR') return objectMissing(key)
  if (errno === 'ELOOP') return keyRefused(key, 'a symbolic link lies there')
  return asStorageError(error)
}
