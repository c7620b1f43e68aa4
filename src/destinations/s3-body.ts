import { Readable } from 'node:stream';
import type { PutObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import type { Throttle } from './throttle.js';

export interface SendInPiecesInput {
  bytes: Buffer;
  throttle: Throttle;
  signal: AbortSignal;
  /** Told after each piece how many bytes were handed to the connection; from 0 again where the SDK sends them anew. */
  onSent: (bytesSent: number) => void;
}

/**
 * Lets the command send its body piece by piece. The SDK itself sees the whole of it: it can sign it, and send it again, which it does with
 * no stream.
 */
export function sendInPieces(command: PutObjectCommand | UploadPartCommand, input: SendInPiecesInput): void {
  // The two stacks are alike, but not to the compiler.
  (command as PutObjectCommand).middlewareStack.add(
    (next) => async (args) => {
      const body = Readable.from(pieces(input), { objectMode: false });
      body.on('error', () => undefined); // the signal's: the request ends by the same
      try {
        return await next({ ...args, request: withBody(args.request as object, body) });
      } finally {
        body.destroy();
      }
    },
    { step: 'deserialize', name: 'sendInPieces' }, // the last one before the connection, behind signing and retries
  );
}

function withBody<T extends object>(request: T, body: Readable): T {
  const copy = Object.create(Object.getPrototypeOf(request) as object) as T;
  return Object.assign(copy, request, { body });
}

async function* pieces({ bytes, throttle, signal, onSent }: SendInPiecesInput): AsyncGenerator<Buffer, void, void> {
  for (let sent = 0; sent < bytes.length;) {
    const piece = bytes.subarray(sent, sent + throttle.pieceBytes);
    await throttle.pass(piece.length, signal);
    yield piece;
    sent += piece.length;
    onSent(sent);
  }
}
