import { pino } from 'pino';
import type { Logger, LogLevel, LogMetadata } from '@temporalio/worker';

export type Log = ReturnType<typeof createLog>;

/** JSON lines on stdout. Every line passes `redact` as it is written, whatever part made it. Level: LOG_LEVEL (default `info`). */
export function createLog(redact: (text: string) => string) {
  return pino({
    level: process.env['LOG_LEVEL'] ?? 'info',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    hooks: { streamWrite: redact },
  });
}

/** The SDK's messages in the same log. */
export function temporalLogger(log: Log): Logger {
  const write = (level: LogLevel, message: string, meta: LogMetadata = {}) => {
    log[level.toLowerCase() as 'trace' | 'debug' | 'info' | 'warn' | 'error'](meta, message);
  };
  return {
    log: write,
    trace: (message, meta) => write('TRACE', message, meta),
    debug: (message, meta) => write('DEBUG', message, meta),
    info: (message, meta) => write('INFO', message, meta),
    warn: (message, meta) => write('WARN', message, meta),
    error: (message, meta) => write('ERROR', message, meta),
  };
}
