/**
 * Folders and files as a tar.
 *
 * Effects: pure
 * Source:  POSIX.1-1988 (ustar)
 */

const BLOCK_BYTES = 512
const MODE_FOLDER = 0o700
const MODE_FILE = 0o600
const END = Buffer.alloc(2 * BLOCK_BYTES)

export function* writeTar(
  folders: readonly string[],
  files: ReadonlyMap<string, Uint8Array>,
): Generator<Uint8Array, void> {
  for (const path of folders) yield header(`${path}/`, '5', MODE_FOLDER, 0)
  for (const [path, content] of files) {
    yield header(path, '0', MODE_FILE, content.length)
    yield content
    yield Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES)
  }
  yield END
}

/** Its checksum is counted as if its own field were blank. */
function header(path: string, type: '0' | '5', mode: number, sizeBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES)
  block.write(path, 0)
  block.write(octal(mode, 7), 100)
  block.write(octal(0, 7), 108)
  block.write(octal(0, 7), 116)
  block.write(octal(sizeBytes, 11), 124)
  block.write(octal(0, 11), 136)
  block.write(' '.repeat(8), 148)
  block.write(type, 156)
  block.write('ustar\x0000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)}\0 `, 148)
  return block
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}
