import { randomBytes } from 'node:crypto';
import type { S3Keys } from '../../test/support/s3-server.js';

export interface Secrets {
  postgresPassword: string;
  s3: S3Keys;
}

/** New ones for each demo; they stand in its stack.env and nowhere else. */
export function makeSecrets(): Secrets {
  return {
    postgresPassword: randomBytes(18).toString('base64url'),
    s3: {
      accessKeyId: `DEMO${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
    },
  };
}

export function secretTexts({ postgresPassword, s3 }: Secrets): string[] {
  return [postgresPassword, s3.secretAccessKey];
}
