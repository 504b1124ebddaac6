/** Tries what the product does to its storage, with an object of its own, and what nobody should be able to do to it. */
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore, Random } from '#lib/ports/index.ts'

/** What the storage says of itself. */
export interface StorageFacts {
  readonly kind: 'folder' | 's3'
  /** The bucket, or the path of the folder. */
  readonly place: string
  readonly prefix: string
  /** What cannot be told from here, and why. */
  readonly unknown: readonly { readonly subject: string; readonly reason: string }[]
  /** S3: old versions stay when an object is replaced or deleted. */
  readonly isVersioned?: boolean
  /** S3: objects are locked for a time by default. */
  readonly isLocked?: boolean
  /** Folder: permission bits. */
  readonly mode?: number
  readonly isOwn?: boolean
  readonly freeBytes?: number
  /** Folder: on the disk that the machine itself lives on. */
  readonly isOnSystemDisk?: boolean
}

export interface StorageOrder {
  /** Fail when recovery objects could be deleted or replaced with these credentials. */
  readonly isStrict: boolean
}

export interface StorageProblem {
  readonly severity: 'failed' | 'warning'
  readonly problem: string
  readonly fix: string
}

export interface StorageExamination {
  readonly ok: boolean
  readonly testKey: string
  readonly writeOk: boolean
  readonly readOk: boolean
  readonly listOk: boolean
  /** A key that exists is not written again when that is asked for. */
  readonly conditionalWriteOk: boolean
  readonly deleteAllowed: boolean
  readonly overwriteAllowed: boolean
  /** Folders of recovery objects in which these credentials may delete. */
  readonly deletableFolders: readonly string[]
  readonly deleteError: string | null
  readonly problems: readonly StorageProblem[]
  readonly checked: readonly string[]
  readonly skipped: readonly { readonly subject: string; readonly reason: string }[]
}

interface ExaminePorts {
  readonly objects: ObjectStore
  readonly random: Random
  readonly facts: StorageFacts
}

/** Where what is to be recovered lies. */
const RECOVERY_FOLDERS = ['snapshots', 'sets', 'backups', 'wal', 'undo', 'audit', 'drills'] as const
const NAME_BYTES = 16
const OTHERS_WRITE = 0o022
const LEAST_FREE_BYTES = 1_073_741_824
const SCARCE_FREE_BYTES = 134_217_728

const FIX_ACCESS =
  'Grant these credentials s3:ListBucket on the bucket and s3:GetObject and s3:PutObject on its objects; of a folder, let the user that runs Backstop own it.'
const FIX_DELETE =
  'Run the gateway with credentials that are denied s3:DeleteObject and s3:DeleteObjectVersion on the bucket, and let another role apply retention. A folder cannot refuse its owner: use a bucket for strict.'
const FIX_OVERWRITE =
  'Deny s3:PutObject where the header If-None-Match is absent (condition Null s3:if-none-match), or switch versioning on.'

/** Throws nothing for what is refused: that is what it reports. */
export async function examineStorage(ports: ExaminePorts, order: StorageOrder): Promise<StorageExamination> {
  const look = new Look(ports)
  await look.access()
  if (look.isWritten) {
    await look.conditional()
    await look.overwrite(order)
    await look.remove(order)
  }
  look.judgeFacts()
  return look.report()
}

class Look {
  readonly #ports: ExaminePorts
  readonly #key: string
  readonly #first: Uint8Array
  readonly #problems: StorageProblem[] = []
  readonly #checked: string[] = []
  readonly #skipped: { subject: string; reason: string }[] = []
  readonly #deletable: string[] = []
  #writeOk = false
  #readOk = false
  #listOk = false
  #conditionalOk = false
  #deleteAllowed = false
  #overwriteAllowed = false
  #deleteError: string | null = null

  constructor(ports: ExaminePorts) {
    this.#ports = ports
    const name = Buffer.from(ports.random.bytes(NAME_BYTES)).toString('hex')
    this.#key = `doctor/permissions/${name}.txt`
    this.#first = Buffer.from(`backstop doctor ${name}\n`)
  }

  get isWritten(): boolean {
    return this.#writeOk
  }

  async access(): Promise<void> {
    const { objects } = this.#ports
    this.#writeOk = await this.#must('write', async () => {
      await objects.put(this.#key, this.#first, { ifAbsent: true })
    })
    if (!this.#writeOk) {
      for (const subject of ['read back', 'conditional write', 'overwrite', 'delete']) {
        this.#skipped.push({ subject, reason: 'nothing could be written' })
      }
    } else this.#readOk = await this.#must('read back', () => this.#assertContent(this.#first))
    this.#listOk = await this.#must('list', async () => {
      const { objects: found } = await objects.list(this.#writeOk ? this.#key : 'doctor/permissions/')
      if (this.#writeOk && found.length === 0)
        throw new BackstopError('OBJECT_MISSING', 'the test object is not listed')
    })
  }

  /** What archives of WAL and manifests rest on. */
  async conditional(): Promise<void> {
    this.#conditionalOk = await this.#must('write only if absent', async () => {
      try {
        await this.#ports.objects.put(this.#key, Buffer.from('another one'), { ifAbsent: true })
      } catch (error) {
        if (!isBackstopError(error, 'OBJECT_EXISTS')) throw error
        return await this.#assertContent(this.#first)
      }
      throw new BackstopError('STORAGE_UNREACHABLE', 'a key that exists was written again although that was not to be')
    })
  }

  async overwrite({ isStrict }: StorageOrder): Promise<void> {
    const second = Buffer.from('replaced\n')
    try {
      await this.#ports.objects.put(this.#key, second)
      await this.#assertContent(second)
      this.#overwriteAllowed = true
    } catch (error) {
      if (!isBackstopError(error)) throw error
    }
    this.#checked.push(`replace an object: ${this.#overwriteAllowed ? 'possible' : 'refused'}`)
    if (!this.#overwriteAllowed) return
    const isKept = this.#ports.facts.isVersioned === true
    const problem = isKept
      ? 'objects can be replaced; the bucket keeps the old versions'
      : 'objects can be replaced with these credentials'
    this.#problems.push({ severity: isStrict && !isKept ? 'failed' : 'warning', problem, fix: FIX_OVERWRITE })
  }

  async remove({ isStrict }: StorageOrder): Promise<void> {
    const { objects } = this.#ports
    // Of a name that nobody uses: the answer is that of the permissions, and nothing is lost.
    const unused = this.#key.slice(this.#key.lastIndexOf('/') + 1)
    for (const folder of RECOVERY_FOLDERS) {
      if (await this.#canDelete(`${folder}/backstop-doctor-${unused}`)) this.#deletable.push(folder)
    }
    this.#deleteAllowed = (await this.#canDelete(this.#key)) && (await objects.find(this.#key)) === undefined
    this.#checked.push(`delete the test object: ${this.#deleteAllowed ? 'possible' : 'refused'}`)
    this.#checked.push(`delete in ${RECOVERY_FOLDERS.join(', ')}: possible in ${this.#deletable.join(', ') || 'none'}`)
    if (!this.#deleteAllowed) {
      this.#skipped.push({
        subject: this.#key,
        reason: 'the test object stays: it could not be deleted, as it should be',
      })
    }
    if (this.#deletable.length === 0) return
    const problem = `recovery objects can be deleted with these credentials, in ${this.#deletable.join(', ')}`
    this.#problems.push({ severity: isStrict ? 'failed' : 'warning', problem, fix: FIX_DELETE })
  }

  async #canDelete(key: string): Promise<boolean> {
    try {
      await this.#ports.objects.delete(key)
      return true
    } catch (error) {
      if (!isBackstopError(error)) throw error
      this.#deleteError ??= error.message
      return false
    }
  }

  judgeFacts(): void {
    const { facts } = this.#ports
    this.#skipped.push(...facts.unknown)
    if (facts.mode !== undefined) this.#judgeMode(facts.mode)
    if (facts.isOwn === false)
      this.#warn(`the folder ${facts.place} belongs to another user`, `chown it to the user that runs Backstop.`)
    if (facts.freeBytes !== undefined) this.#judgeFree(facts.freeBytes)
    if (facts.isOnSystemDisk === true) {
      this.#warn(
        'the folder lies on the disk of this machine: what loses the one loses the other',
        'Use a bucket, or a folder on a disk that is mounted from elsewhere.',
      )
    }
    if (facts.isVersioned !== undefined) this.#checked.push(`versioning is ${facts.isVersioned ? 'on' : 'off'}`)
    if (facts.isLocked !== undefined) this.#checked.push(`object lock is ${facts.isLocked ? 'on' : 'off'}`)
  }

  #judgeMode(mode: number): void {
    const octal = (mode & 0o777).toString(8).padStart(3, '0')
    this.#checked.push(`the folder has the mode ${octal}`)
    if ((mode & OTHERS_WRITE) === 0) return
    const problem = `others can write to ${this.#ports.facts.place} (mode ${octal})`
    this.#problems.push({ severity: 'failed', problem, fix: `chmod go-w '${this.#ports.facts.place}'` })
  }

  #judgeFree(freeBytes: number): void {
    this.#checked.push(`${freeBytes} bytes are free`)
    if (freeBytes >= LEAST_FREE_BYTES) return
    const severity = freeBytes < SCARCE_FREE_BYTES ? 'failed' : 'warning'
    const fix = 'Free space on the disk, shorten the retention, or use a bucket.'
    this.#problems.push({ severity, problem: `only ${freeBytes} bytes are free for recovery points`, fix })
  }

  #warn(problem: string, fix: string): void {
    this.#problems.push({ severity: 'warning', problem, fix })
  }

  async #must(what: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      this.#checked.push(`${what}: possible`)
      return true
    } catch (error) {
      if (!isBackstopError(error)) throw error
      this.#problems.push({ severity: 'failed', problem: `${what}: ${error.message}`, fix: FIX_ACCESS })
      return false
    }
  }

  async #assertContent(wanted: Uint8Array): Promise<void> {
    const found = await this.#ports.objects.read(this.#key)
    if (Buffer.compare(found, wanted) !== 0) {
      throw new BackstopError('STORAGE_UNREACHABLE', 'what was read is not what was written')
    }
  }

  report(): StorageExamination {
    return {
      ok: this.#problems.every(({ severity }) => severity !== 'failed'),
      testKey: this.#key,
      writeOk: this.#writeOk,
      readOk: this.#readOk,
      listOk: this.#listOk,
      conditionalWriteOk: this.#conditionalOk,
      deleteAllowed: this.#deleteAllowed,
      overwriteAllowed: this.#overwriteAllowed,
      deletableFolders: this.#deletable,
      deleteError: this.#deleteError,
      problems: this.#problems,
      checked: this.#checked,
      skipped: this.#skipped,
    }
  }
}
