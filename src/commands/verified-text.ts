import { lastVerified, type Verification } from '../domain/verification.js';
import { formatDuration } from './format.js';
import { formatLocalTime } from './local-time.js';

/** When an artifact was verified last, and the restore time to expect where a drill has measured it; `-`: nobody has. */
export function verifiedText(verification: Verification | undefined, timezone: string): string {
  const { drill } = verification?.results ?? {};
  const verified = lastVerified(verification);
  if (verified === undefined) return drill?.outcome === 'unverified' ? 'unverified' : '-';
  const time = formatLocalTime(verified.verifiedAt, timezone);
  if (drill?.outcome === 'unverified') return `${time}, no drill`;
  return drill?.restoreMs === undefined ? time : `${time}, restored in ${formatDuration(drill.restoreMs)}`;
}
