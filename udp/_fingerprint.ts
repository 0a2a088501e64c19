/**
 * Short stand-ins for the bytes of a datagram.
 *
 * @module
 */

const [SEED_A = 1, SEED_B = 2] = crypto.getRandomValues(new Uint32Array(2));

/**
 * A number of 53 bits that is the same for the same bytes, and for different ones practically never.
 * Each process has a seed of its own, so that no one can prepare two messages that collide.
 */
export function fingerprint(bytes: Uint8Array): number {
  let a = SEED_A;
  let b = SEED_B;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    a = Math.imul(a ^ byte, 0x9e3779b1);
    b = Math.imul(b ^ byte, 0x85ebca77);
    a ^= a >>> 15;
    b ^= b >>> 13;
  }
  a = Math.imul(a ^ bytes.length, 0xc2b2ae3d) ^ (b >>> 16);
  b = Math.imul(b ^ bytes.length, 0x27d4eb2f) ^ (a >>> 15);
  return (b >>> 0) * 0x20_0000 + (a >>> 11);
}
