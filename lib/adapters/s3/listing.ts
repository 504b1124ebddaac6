/** A page of keys in S3's own order, which is that of their UTF-8 bytes. */
import { type _Object, ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { ObjectInfo, ObjectPage } from '#lib/ports/index.ts'
import { assertObjectKey, decodeCursor, encodeCursor, OBJECT_PAGE_LIMIT } from '#lib/ports/index.ts'
import { asStorageError } from './failure.ts'
import { type Bucket, MAX_FULL_KEY_BYTES } from './model.ts'

export async function listObjects(bucket: Bucket, prefix: string, cursor: string | undefined): Promise<ObjectPage> {
  const after = cursor === undefined ? undefined : (decodeCursor(['objects', prefix], cursor, 1)[0] as string)
  const fullPrefix = bucket.prefix + prefix
  if (Buffer.byteLength(fullPrefix) > MAX_FULL_KEY_BYTES) return { objects: [] }
  try {
    const page = await bucket.client.send(
      new ListObjectsV2Command({
        ...bucket.address,
        Prefix: fullPrefix,
        MaxKeys: OBJECT_PAGE_LIMIT,
        // XML cannot hold every character of a key.
        EncodingType: 'url',
        ...(after !== undefined && { StartAfter: bucket.prefix + after }),
      }),
    )
    const found = (page.Contents ?? []).map((object) => toInfo(object, bucket))
    const objects = found.filter(({ key }) => isKey(key))
    const last = found.at(-1)
    if (!page.IsTruncated || last === undefined) return { objects }
    return { objects, cursor: encodeCursor(['objects', prefix], [last.key]) }
  } catch (error) {
    throw asStorageError(error, 'ListObjectsV2', bucket)
  }
}

function toInfo(object: _Object, bucket: Bucket): ObjectInfo {
  const fullKey = decodeURIComponent((object.Key ?? '').replaceAll('+', ' '))
  return {
    key: fullKey.slice(bucket.prefix.length),
    sizeBytes: object.Size ?? 0,
    modifiedAtMs: object.LastModified?.getTime() ?? 0,
  }
}

/** Others may have put what no key of ours is, such as the markers that consoles make for folders. */
function isKey(key: string): boolean {
  try {
    assertObjectKey(key)
    return true
  } catch {
    return false
  }
}
