/** A temporary file of our own, readable by its owner only. */
export interface SpooledFile {
  readonly path: string
  /** Idempotent. */
  remove(): Promise<void>
}

/** A folder of our own for one piece of work, readable by its owner only. */
export interface ScratchFolder {
  readonly path: string
  /** With everything in it. Idempotent. */
  remove(): Promise<void>
}

/** A folder that is being filled; paths in it are relative, of plain segments. */
export interface FolderWriter {
  addFolder(path: string, mode: number): Promise<void>
  addFile(path: string, mode: number, content: AsyncIterable<Uint8Array>): Promise<void>
  /** Undefined when there is none. */
  readText(path: string): Promise<string | undefined>
  /** Idempotent. */
  remove(path: string): Promise<void>
  /** Everything is on disk, and the folder is its owner's alone. */
  finish(): Promise<void>
  /** Removes everything that was written, also after `finish`, and the folders that were made here. Idempotent. */
  abort(): Promise<void>
}

export interface FolderFacts {
  readonly isEmpty: boolean
  /** A server may be running on it: it holds a `postmaster.pid`. */
  readonly isInUse: boolean
}

/**
 * Files outside of the storage: those of a PostgreSQL server on this machine.
 *
 * Errors: LOCAL_FILE_FAILED with the system's code, never with content; TARGET_FOLDER_REFUSED
 */
export interface LocalFiles {
  /** Throws LOCAL_FILE_FAILED also for more than `maxBytes`. */
  read(path: string, maxBytes: number): Promise<Uint8Array>
  /** From its beginning to its end, in pieces. */
  readStream(path: string): AsyncIterable<Uint8Array>
  /** Durable, and whole or not at all; a file of that name is replaced. */
  replace(path: string, content: Uint8Array): Promise<void>
  spool(folder: string, content: AsyncIterable<Uint8Array>): Promise<SpooledFile>
  /**
   * A new folder in `parent`, or among the temporary files. `forServer`: it belongs to the user that a server started here runs as.
   * What killed processes left there a day ago or more is removed first.
   */
  makeScratch(forServer?: boolean, parent?: string): Promise<ScratchFolder>
  /** What is free on the disk of a folder. */
  freeBytes(path: string): Promise<number>
  /** A folder that is not there is empty. */
  look(path: string): Promise<FolderFacts>
  /**
   * Fill a folder; what is in it is removed first when `isReplacing`. Files get the owner of the folder that is there, or of
   * the one above it, where this process may give files away.
   * Throws TARGET_FOLDER_REFUSED when it is not empty, or in use.
   */
  openFolder(path: string, isReplacing: boolean): Promise<FolderWriter>
}
