import { runId } from '../domain/names.js';
import type { Restored, RestoreFacts } from '../domain/restore-plan.js';
import { quoteIdentifier } from '../sources/postgres/quoting.js';
import type { Restorable } from '../sources/postgres/restore.js';

type KeptCommands = NonNullable<Restored['keptCommands']>;

/** A moment may be taken by the restore before. */
const CANDIDATES = 10;

/** What the name of a database that is replaced ends with: this moment, or one of the next. */
export function keptSuffixes(startedAt: Date, timeZone: string): string[] {
  return Array.from({ length: CANDIDATES }, (_, seconds) => `_before_${runId(startedAt, timeZone, seconds)}`);
}

/** How it is got rid of, and how it gets its place again. */
export function keptCommands({ into, keptAs, user }: { into: string; keptAs: string; user: string }): KeptCommands {
  const [now, kept] = [into, keptAs].map(quoteIdentifier) as [string, string];
  const aside = quoteIdentifier(keptAs.replace(/_before_(?=\d{8}_\d{6}$)/, '_after_'));
  return {
    remove: `DROP DATABASE ${kept};`,
    goBack: [
      'BEGIN;',
      `ALTER DATABASE ${now} RENAME TO ${aside};`,
      `ALTER DATABASE ${kept} RENAME TO ${now};`,
      `ALTER DATABASE ${now} ALLOW_CONNECTIONS true;`,
      `ALTER ROLE ${quoteIdentifier(user)} IN DATABASE ${now} RESET application_name;`,
      'COMMIT;',
    ].join(' '),
  };
}

export function replacedFacts(into: string, { replaced }: Restorable): RestoreFacts {
  if (replaced === undefined) return { warnings: [] };
  const { sizeBytes, keptAs, changed } = replaced;
  const differs = `${into} has changed since it was backed up: its ${changed.join(', ')}; the restored one is as it was then`;
  return {
    replaces: { what: `the database ${into}`, keptAs, ...(sizeBytes !== undefined && { sizeBytes }) },
    warnings: changed.length === 0 ? [] : [differs],
  };
}
