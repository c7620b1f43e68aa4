import { Readable } from 'node:stream';
import type { ClientRequest } from 'node:http';
import type { PutObjectCommand, PutObjectCommandOutput, UploadPartCommand } from '@aws-sdk/client-s3';
import { readPiece } from './file-range.js';
import type { S3Bucket } from './s3-bucket.js';
import type { LocalPart } from './s3-parts.js';

export interface SendPartInput {
  bucket: S3Bucket;
  /** With the part's size and CRC-32, and without a body. */
  command: PutObjectCommand | UploadPartCommand;
  part: Pick<LocalPart, 'range' | 'sha256'>;
  signal: AbortSignal;
  /** Told after each piece how many bytes were handed to the connection; from 0 again where the SDK sends them anew. */
  onSent: (bytesSent: number) => void;
}

/**
 * Sends a command whose body is read from the file while it goes out, so that it is never in memory. The SDK sees no body: it signs the
 * SHA-256 that it is given, and sends the command again where it would not with a stream.
 */
export async function sendPart(input: SendPartInput): Promise<Pick<PutObjectCommandOutput, 'ETag'>> {
  const { bucket, part, signal } = input;
  const command = input.command as PutObjectCommand; // the stacks of both are alike, but not to the compiler
  command.middlewareStack.add((next) => (args) => next(signedAs(args, part.sha256)), { step: 'build' });
  command.middlewareStack.add(
    (next) => async (args) => {
      const body = new FileBody(input);
      try {
        return await next({ ...args, request: withBody(args.request as object, body) });
      } catch (error) {
        throw body.failure ?? error;
      } finally {
        body.destroy();
      }
    },
    { step: 'deserialize' }, // the last one before the connection, behind signing and retries
  );
  return bucket.client.send(command, { abortSignal: signal });
}

function signedAs<Args extends { request: unknown }>(args: Args, sha256: string): Args {
  (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = sha256;
  return args;
}

function withBody<T extends object>(request: T, body: Readable): T {
  const copy = Object.create(Object.getPrototypeOf(request) as object) as T;
  return Object.assign(copy, request, { body });
}

/**
 * Two buffers, used over and over: while one is written, the other is filled. A stream of Node's own does not say when a chunk has been
 * written, so it would need a new buffer for each piece, and these stay until they are collected. The SDK pipes a body to its request.
 */
class FileBody extends Readable {
  /** Why the file could not be read, or not be sent on. */
  failure: unknown;

  constructor(private readonly input: SendPartInput) {
    super();
  }

  override pipe<Destination extends NodeJS.WritableStream>(destination: Destination): Destination {
    const request = destination as unknown as ClientRequest;
    this.#writeTo(request).catch((error: unknown) => {
      if (request.destroyed) return; // it has its reason
      this.failure = error;
      request.destroy(error as Error);
    });
    return destination;
  }

  async #writeTo(request: ClientRequest): Promise<void> {
    const { bucket, part, signal, onSent } = this.input;
    const { sizeBytes } = part.range;
    const { throttle } = bucket;
    let [buffer, spare] = [Buffer.allocUnsafe(throttle.pieceBytes), Buffer.allocUnsafe(throttle.pieceBytes)];
    let written: Promise<void> = Promise.resolve();
    for (let sent = 0; sent < sizeBytes;) {
      const piece = await readPiece(part.range, sent, buffer);
      await throttle.pass(piece.length, signal);
      await written;
      written = write(request, piece);
      written.catch(() => undefined); // awaited in the next round, unless this one throws first
      sent += piece.length;
      onSent(sent);
      [buffer, spare] = [spare, buffer];
    }
    await written;
    request.end();
  }
}

/** Resolves when the connection has taken the bytes: the buffer is free again. */
function write(request: ClientRequest, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    request.write(piece, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
