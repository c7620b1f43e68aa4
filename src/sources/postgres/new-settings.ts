import type { Program } from '../../pipeline/process.js';

/** Settings that a dump begins with since this server version: an older server refuses them. */
const NEW_SETTINGS = [{ name: 'transaction_timeout', since: 170_000 }];
/** They stand in the first lines. */
const HEAD_LINES = 60;

/** Programs that leave such settings out of a dump that a newer pg_dump (a major) wrote; none where that is not needed. */
export function withoutNewSettings({
  madeBy,
  serverVersionNumber,
}: {
  madeBy: number | undefined;
  serverVersionNumber: number;
}): Program[] {
  const unknown = NEW_SETTINGS.filter(({ since }) => serverVersionNumber < since && (madeBy ?? 0) * 10_000 >= since);
  if (unknown.length === 0) return [];
  const script = unknown.map(({ name }) => `1,${String(HEAD_LINES)}{/^SET ${name} = 0;$/d;}`).join('\n');
  return [{ file: 'sed', args: [script] }];
}
