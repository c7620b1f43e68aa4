import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { BackupError } from '../domain/errors.js';
import type { FileFacts } from './destination.js';

/** The facts of bytes as they pass by. */
export class ContentDigest {
  readonly #sha256 = createHash('sha256');
  #crc32 = 0;
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  update(chunk: Uint8Array): void {
    this.#sha256.update(chunk);
    this.#crc32 = crc32(chunk, this.#crc32);
    this.#sizeBytes += chunk.byteLength;
  }

  /** Ends the digest. */
  facts(): FileFacts {
    return { sizeBytes: this.#sizeBytes, sha256: this.#sha256.digest('hex'), crc32: hexOf(this.#crc32) };
  }
}

export function hexOf(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}

/** Throws `Damaged` where `found` is not `expected`; `what` is the subject of the message: `/backups/x`. */
export function assertFacts(what: string, found: FileFacts, expected: FileFacts): void {
  const { sizeBytes, sha256, crc32 } = expected;
  if (found.sizeBytes === sizeBytes && found.sha256 === sha256 && found.crc32 === crc32) return;
  throw new BackupError(
    'Damaged',
    `cannot use ${what}: because it has ${found.sizeBytes} bytes with SHA-256 ${found.sha256}, not ${sizeBytes} with ${sha256}`,
  );
}
