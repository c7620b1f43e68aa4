export { formatBytes, formatDuration } from '../domain/quantities.js'; // workflows show them too
