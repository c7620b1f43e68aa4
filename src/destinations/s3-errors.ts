import { BackupError, type BackupErrorOptions, type ErrorCode } from '../domain/errors.js';

/** Whether the store answered with one of these error codes; a HEAD's answer has none but `NotFound`. */
export function isAnswer(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes(error.name);
}

/** What answers is something else: a web server, a console, a proxy's page. */
export class NoStoreError extends Error {
  override readonly name = 'NoStoreError';
}

export interface S3ErrorContext {
  /** `list s3://bucket/prefix`. */
  doing: string;
  bucketName: string;
  /** `S3`, or with its address `the store at http://…`. */
  store: string;
  /** Takes keys out of a text. */
  redact: (text: string) => string;
}

interface Meaning {
  code: ErrorCode;
  why: string;
  options?: BackupErrorOptions;
}

/**
 * An answer of the store, or that there is none, in words. The SDK's error is not kept as the cause: it carries
 * request headers and what was signed.
 */
export function s3Error(error: unknown, context: S3ErrorContext): BackupError {
  if (error instanceof BackupError) return error;
  const { code, why, options } = meaningOf(error instanceof Error ? error : new Error(String(error)), context);
  return new BackupError(code, context.redact(`cannot ${context.doing}: because ${why}`), options);
}

const OTHER_REGION = ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException'];
const REFUSED = ['AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken'];
const UNREACHABLE = ['TimeoutError', 'RequestTimeout', 'SlowDown', 'ServiceUnavailable', 'InternalError'];
const NO_STORE = ['NoStoreError', 'NotFound', 'Unknown', 'UnknownError'];
const BROKEN_CONNECTION =
  /^(ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPROTO|ERR_STREAM_PREMATURE_CLOSE|ERR_(TLS|SSL)\w+|CERT_\w+|\w+_CERT\w*|UNABLE_TO_\w+)$/;

function meaningOf(error: Error, { bucketName, store }: S3ErrorContext): Meaning {
  const { name, message } = error;
  const status = statusOf(error);
  if (name === 'NoSuchBucket') {
    const hint = 'make the bucket, or correct s3_bucket';
    return { code: 'NotFound', why: `there is no bucket ${bucketName}`, options: { hint } };
  }
  if (name === 'RequestTimeTooSkewed') {
    const hint = 'set the clock of this host, best by NTP';
    return { code: 'LoginRefused', why: `this host's clock differs too much from that of ${store}`, options: { hint } };
  }
  if (name === 'CredentialsProviderError') {
    const hint = 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in stack.env, or give this host a role';
    return { code: 'LoginRefused', why: 'no access keys were found', options: { hint } };
  }
  if (OTHER_REGION.includes(name)) {
    const hint = "set s3_region to the bucket's region";
    return { code: 'ConfigInvalid', why: `${store} says ${name}: ${message}`, options: { hint } };
  }
  if (isUnreachable(error)) return { code: 'ServerUnreachable', why: `${store} does not answer (${saying(error)})` };
  if (status === 401 || status === 403 || REFUSED.includes(name)) {
    const hint = `check the access keys, and what they may do in the bucket ${bucketName}`;
    return { code: 'LoginRefused', why: `${store} refused (${saying(error)})`, options: { hint } };
  }
  if (isNoStore(error)) {
    const hint = 'check s3_endpoint: the address of the S3 API, not of a console, with http or https as it is served';
    return {
      code: 'Failed',
      why: `what answers as ${store} does not speak S3 (status ${status ?? 200})`,
      options: { hint },
    };
  }
  return { code: 'Failed', why: `${store} says ${saying(error)}` };
}

function isUnreachable(error: Error): boolean {
  const status = statusOf(error);
  if (status === 429 || (status ?? 0) >= 500 || UNREACHABLE.includes(error.name)) return true;
  const code = 'code' in error ? String(error.code) : '';
  if (BROKEN_CONNECTION.test(code)) return true;
  return error instanceof AggregateError && error.errors.some((each) => each instanceof Error && isUnreachable(each));
}

/** An error page that is not XML fails in the SDK's parser, with the answer on the error. */
function isNoStore(error: Error): boolean {
  return '$response' in error && !('$fault' in error) ? true : NO_STORE.includes(error.name);
}

function saying({ name, message }: Error): string {
  return name === 'Error' ? message : `${name}: ${message}`;
}

function statusOf(error: Error): number | undefined {
  const { $metadata, $response } = error as Error & {
    $metadata?: { httpStatusCode?: number };
    $response?: { statusCode?: number };
  };
  return $metadata?.httpStatusCode ?? $response?.statusCode;
}
