import { S3Client } from '@aws-sdk/client-s3';
import { abortError } from '../pipeline/abort.js';
import { checkedPath } from './object-path.js';
import { s3Error } from './s3-errors.js';
import { Throttle } from './throttle.js';

const CONNECT_TIMEOUT_MS = 10_000;

export interface S3BucketInput {
  bucket: string;
  /** Default: the SDK's own chain; `us-east-1` where an endpoint is given. */
  region?: string;
  /** URL of a store that is not AWS. */
  endpoint?: string;
  /** Keys begin with it and `/`; may be empty. */
  prefix: string;
  /** Whether the bucket is in the URL's path, not in its host name. */
  forcePathStyle: boolean;
  /** How often the SDK sends one request before it fails. Default: 3. */
  maxAttempts?: number;
  /** How long a connection may be silent within a request. Default: 120000. */
  idleTimeoutMs?: number;
  /** What holds uploads to a rate. Default: none. */
  throttle?: Throttle;
}

/** One bucket and prefix: its client, its names, and its errors in words. Access keys come by the SDK's own chain. */
export class S3Bucket {
  readonly client: S3Client;
  readonly name: string;
  readonly location: string;
  readonly throttle: Throttle;
  readonly #prefix: string;
  readonly #store: string;

  constructor({
    bucket,
    prefix,
    region,
    endpoint,
    forcePathStyle,
    maxAttempts = 3,
    idleTimeoutMs = 120_000,
    throttle = new Throttle(),
  }: S3BucketInput) {
    this.name = bucket;
    this.throttle = throttle;
    const folder = prefix.replace(/^\/+|\/+$/g, '');
    this.#prefix = folder === '' ? '' : `${folder}/`;
    this.location = `s3://${bucket}/${folder}`.replace(/\/$/, '');
    this.#store = endpoint === undefined ? 'S3' : `the store at ${endpoint}`;
    const ownRegion = region ?? (endpoint === undefined ? undefined : 'us-east-1');
    // Which Node versions serve is for our own `engines` to say, not for seven lines on stderr of every command.
    process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
    this.client = new S3Client({
      ...(ownRegion !== undefined && { region: ownRegion }),
      ...(endpoint !== undefined && { endpoint }),
      forcePathStyle,
      maxAttempts,
      followRegionRedirects: true,
      // Checksums are asked for where they are wanted; stores that are not AWS do not know all of the SDK's defaults.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, socketTimeout: idleTimeoutMs },
    });
  }

  keyOf(path: string): string {
    return this.#prefix + checkedPath(path);
  }

  /** The beginning of keys; a path's beginning may be any text. */
  keyPrefixOf(pathPrefix: string): string {
    return this.#prefix + pathPrefix;
  }

  pathOf(key: string): string {
    return key.slice(this.#prefix.length);
  }

  urlOf(path: string): string {
    return `${this.location}/${path}`;
  }

  /** Runs `work`; what it throws becomes an error that says what could not be done: `doing` reads `list s3://…`. */
  async naming<T>(doing: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted === true) throw abortError(signal);
      throw s3Error(error, { doing, bucketName: this.name, store: this.#store, redact: await this.#redactor() });
    }
  }

  /** Stores repeat in their answers what they were sent. */
  async #redactor(): Promise<(text: string) => string> {
    const keys = await this.client.config.credentials().catch(() => undefined);
    const secrets = [keys?.secretAccessKey, keys?.sessionToken, keys?.accessKeyId].filter((s) => s !== undefined);
    return (text) => secrets.filter((s) => s.length > 3).reduce((rest, s) => rest.replaceAll(s, '***'), text);
  }
}

/** As S3 writes a CRC-32 that we write in hex. */
export function crc32ToBase64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

export function crc32ToHex(base64: string): string {
  return Buffer.from(base64, 'base64').toString('hex');
}
