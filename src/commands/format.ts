export { formatBytes, formatDuration } from '../domain/quantities.js'; // workflows show them too

/** In whole seconds, for what changes as one looks: `3 s`, `1 min 5 s`, `2 h 0 min`. */
export function formatSeconds(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
