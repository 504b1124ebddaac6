/** The part of a remote address that one caller cannot change at will: an IPv4 address, or the /64 of an IPv6 address. */
import { isIPv6 } from 'node:net'

const MAPPED_PREFIX = '::ffff:'

/** `::ffff:192.0.2.1` → `192.0.2.1`; `2001:db8::1` → `2001:db8:0:0`. */
export function addressKey(remoteAddress: string): string {
  const address = remoteAddress.split('%', 1)[0] ?? ''
  if (address.toLowerCase().startsWith(MAPPED_PREFIX) && address.includes('.'))
    return address.slice(MAPPED_PREFIX.length)
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  return [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).join(':')
}
