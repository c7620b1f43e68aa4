import { BackupError } from '../domain/errors.js';

/** Returns where `zone` is an IANA time zone that Node and Temporal both know; else throws a BackupError (`ConfigInvalid`). */
export function checkTimezone(zone: string): void {
  const canonical = canonicalName(zone);
  // Node takes offsets and any case, Temporal's server neither.
  if (canonical === undefined || /^[+-]/.test(zone))
    refuse(`no zone is called ${JSON.stringify(zone)}`, 'write a name such as America/Sao_Paulo or UTC');
  const isOtherCase = canonical !== zone && canonical.toLowerCase() === zone.toLowerCase();
  if (isOtherCase) refuse(`no zone is spelled ${JSON.stringify(zone)}`, `write ${canonical}`);
}

function canonicalName(zone: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return undefined; // a RangeError: not known
  }
}

function refuse(why: string, hint: string): never {
  throw new BackupError('ConfigInvalid', why, { hint });
}
