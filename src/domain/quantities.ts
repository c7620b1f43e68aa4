const DURATION_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;
const SIZE_UNITS = [
  ['TiB', 1024 ** 4],
  ['TB', 1000 ** 4],
  ['GiB', 1024 ** 3],
  ['GB', 1000 ** 3],
  ['MiB', 1024 ** 2],
  ['MB', 1000 ** 2],
  ['KiB', 1024],
  ['kB', 1000],
] as const;
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `512 B`, `1.4 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}

/** `0.8 s`, `4 min 10 s`, `2 h 5 min`. */
export function formatDuration(ms: number): string {
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** As `backups.yml` takes it, in the largest unit that shows it exactly: `90s`, `15m`, `12h`. */
export function durationText(ms: number): string {
  const [unit, unitMs] = DURATION_UNITS.find(([, size]) => ms > 0 && ms % size === 0) ?? ['ms', 1];
  return `${String(ms / unitMs)}${unit}`;
}

/** As `backups.yml` takes it, in the largest unit that shows it exactly: `20MB`, `64MiB`, `123B`. */
export function sizeText(bytes: number): string {
  const [unit, unitBytes] = SIZE_UNITS.find(([, size]) => bytes > 0 && bytes % size === 0) ?? ['B', 1];
  return `${String(bytes / unitBytes)}${unit}`;
}
