import { S3ServiceException } from '@aws-sdk/client-s3';
import { BackupError, type BackupErrorOptions, type ErrorCode } from '../domain/errors.js';

/** Whether the store answered with one of these error codes; a HEAD's answer has none but its status. */
export function isAnswer(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes(error.name);
}

export interface S3ErrorContext {
  /** `list s3://bucket/prefix`. */
  doing: string;
  bucketName: string;
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
export function s3Error(error: unknown, { doing, bucketName, redact }: S3ErrorContext): BackupError {
  if (error instanceof BackupError) return error;
  const { code, why, options } = meaningOf(error, bucketName);
  return new BackupError(code, redact(`cannot ${doing}: because ${why}`), options);
}

function meaningOf(error: unknown, bucketName: string): Meaning {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (name === 'NoSuchBucket') {
    const hint = 'make the bucket, or correct s3_bucket';
    return { code: 'NotFound', why: `there is no bucket ${bucketName}`, options: { hint } };
  }
  if (name === 'RequestTimeTooSkewed') {
    const hint = 'set the clock of this host, best by NTP';
    return { code: 'LoginRefused', why: "this host's clock differs too much from the store's", options: { hint } };
  }
  if (name === 'CredentialsProviderError') {
    const hint = 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in stack.env, or give this host a role';
    return { code: 'LoginRefused', why: 'no access keys were found', options: { hint } };
  }
  if (OTHER_REGION.includes(name) || status === 301) {
    const hint = "set s3_region to the bucket's region, and s3_endpoint to the store's address";
    return { code: 'ConfigInvalid', why: `the store says ${name}: ${message}`, options: { hint } };
  }
  if (status === 401 || status === 403 || REFUSED.includes(name)) {
    const hint = `check the access keys, and what they may do in the bucket ${bucketName}`;
    return { code: 'LoginRefused', why: `the store refused (${name}: ${message})`, options: { hint } };
  }
  if (isUnreachable(error, status))
    return { code: 'ServerUnreachable', why: `the store does not answer (${name}: ${message})` };
  return { code: 'Failed', why: `${name}: ${message}` };
}

const OTHER_REGION = ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException'];
const REFUSED = ['AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken'];
const UNREACHABLE = [
  'TimeoutError',
  'RequestTimeout',
  'SlowDown',
  'ServiceUnavailable',
  'InternalError',
  'ThrottlingException',
];
const BROKEN_CONNECTION =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPROTO|ERR_STREAM_PREMATURE_CLOSE|ERR_TLS.*|CERT_.*|.*_CERT.*)$/;

function isUnreachable(error: unknown, status: number | undefined): boolean {
  if (!(error instanceof Error)) return false;
  if (status === 429 || (status ?? 0) >= 500 || UNREACHABLE.includes(error.name)) return true;
  const code = 'code' in error ? String(error.code) : '';
  return (
    BROKEN_CONNECTION.test(code) ||
    (error instanceof AggregateError && error.errors.some((e) => isUnreachable(e, status)))
  );
}
