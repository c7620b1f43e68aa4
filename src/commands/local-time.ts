/** `2026-11-24 03:00:07 -03:00`: an RFC 3339 moment as the clocks of an IANA time zone show it. */
export function formatLocalTime(moment: string, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'longOffset',
  }).formatToParts(new Date(moment));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((p) => p.type === type)?.value ?? '';
  const day = `${part('year')}-${part('month')}-${part('day')}`;
  // UTC is `GMT` or `GMT+00:00`, as the data of the day have it.
  const offset = part('timeZoneName').replace('GMT', '') || '+00:00';
  return `${day} ${part('hour')}:${part('minute')}:${part('second')} ${offset}`;
}
