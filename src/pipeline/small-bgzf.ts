import { setImmediate } from 'node:timers/promises';
import { crc32, inflateRawSync } from 'node:zlib';

/** What bgzip writes: gzip members of at most 64 KiB of content, each with its own size in an extra field `BC`. */
const MEMBER_START = Buffer.from('1f8b0804', 'hex');
const FIXED_HEADER_BYTES = 12;
const EXTRA = Buffer.from('42430200', 'hex');
const EXTRA_BYTES = 6;
const TRAILER_BYTES = 8;
const MOST_CONTENT_BYTES = 64 * 1024;
/** Other work of this process is let in after so many. */
const MEMBERS_AT_ONCE = 16;

/**
 * Decompresses a whole file of bgzip, each member held to its CRC and sizes, and hands on the content of each. False where it is anything else,
 * for whatever reason: then nothing is known of it.
 */
export async function readBgzf(file: Buffer, take: (content: Buffer) => void): Promise<boolean> {
  let position = 0;
  for (let count = 1; position < file.length; count++) {
    const member = memberAt(file, position);
    const content = member && contentOf(member);
    if (member === undefined || content === undefined) return false;
    take(content);
    position += member.length;
    if (count % MEMBERS_AT_ONCE === 0) await setImmediate();
  }
  return position > 0;
}

function memberAt(file: Buffer, position: number): Buffer | undefined {
  const header = file.subarray(position, position + FIXED_HEADER_BYTES + EXTRA_BYTES);
  if (header.length < FIXED_HEADER_BYTES + EXTRA_BYTES || !header.subarray(0, 4).equals(MEMBER_START)) return undefined;
  const isPlain = header.readUInt16LE(10) === EXTRA_BYTES && header.subarray(12, 16).equals(EXTRA);
  const sizeBytes = header.readUInt16LE(16) + 1;
  const isWhole = sizeBytes > header.length + TRAILER_BYTES && position + sizeBytes <= file.length;
  return isPlain && isWhole ? file.subarray(position, position + sizeBytes) : undefined;
}

function contentOf(member: Buffer): Buffer | undefined {
  const trailer = member.length - TRAILER_BYTES;
  const deflated = member.subarray(FIXED_HEADER_BYTES + EXTRA_BYTES, trailer);
  try {
    const { buffer, engine } = inflateRawSync(deflated, {
      info: true,
      maxOutputLength: MOST_CONTENT_BYTES,
    }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    const isRight =
      engine.bytesWritten === deflated.length &&
      crc32(buffer) === member.readUInt32LE(trailer) &&
      buffer.length === member.readUInt32LE(trailer + 4);
    return isRight ? buffer : undefined;
  } catch {
    return undefined;
  }
}
