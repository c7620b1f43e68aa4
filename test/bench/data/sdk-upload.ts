import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';

export interface SdkUploadInput {
  client: S3Client;
  bucket: string;
  key: string;
  from: string;
  sizeBytes: number;
  partBytes: number;
  atOnce: number;
}

/** A file in parts as anyone sends them: each read whole, with its CRC-32, some at once. Nothing is looked for, nor proved. */
export async function sdkUpload({ client, bucket, key, from, ...input }: SdkUploadInput): Promise<void> {
  const { sizeBytes, partBytes, atOnce } = input;
  const place = { Bucket: bucket, Key: key };
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ ...place, ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' }),
  );
  const file = await open(from);
  const Parts: CompletedPart[] = [];
  const numbers = Array.from({ length: Math.ceil(sizeBytes / partBytes) }, (_, index) => index + 1).values();
  const work = async () => {
    for (const PartNumber of numbers) {
      const Body = Buffer.allocUnsafe(Math.min(partBytes, sizeBytes - (PartNumber - 1) * partBytes));
      await file.read(Body, 0, Body.length, (PartNumber - 1) * partBytes);
      const checksum = Buffer.alloc(4);
      checksum.writeUInt32BE(crc32(Body));
      const part = { ...place, UploadId, PartNumber, Body, ChecksumCRC32: checksum.toString('base64') };
      const { ETag } = await client.send(new UploadPartCommand(part));
      Parts.push({ PartNumber, ETag, ChecksumCRC32: part.ChecksumCRC32 });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  await file.close();
  Parts.sort((one, other) => (one.PartNumber ?? 0) - (other.PartNumber ?? 0));
  await client.send(
    new CompleteMultipartUploadCommand({ ...place, UploadId, ChecksumType: 'FULL_OBJECT', MultipartUpload: { Parts } }),
  );
}
