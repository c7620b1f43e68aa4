import type { Manifest } from '../domain/manifest.js';
import type { RestoreFacts } from '../domain/restore-plan.js';
import type { DatabaseConnection } from '../domain/target.js';
import type { Restorable } from '../sources/postgres/restore.js';

export interface DatabaseFactsInput {
  manifest: Manifest;
  server: Pick<Restorable, 'roles' | 'versionNumber'>;
  connection: Pick<DatabaseConnection, 'host' | 'port'>;
  /** Absent: none are made. */
  madeRoles: readonly string[] | undefined;
  noOwner: boolean;
}

/** What is to be expected of the server that a database goes to. */
export function databaseFacts({ manifest, server, connection, madeRoles, noOwner }: DatabaseFactsInput): RestoreFacts {
  const there = versionOf(server.versionNumber);
  const captured = manifest.server?.version;
  const missing = noOwner ? (manifest.roles ?? []).filter((role) => !server.roles.has(role)) : [];
  return {
    server: `${connection.host}:${String(connection.port)}`,
    ...(captured !== undefined && { versions: { captured: `PostgreSQL ${captured}`, there: `PostgreSQL ${there}` } }),
    ...((madeRoles !== undefined || missing.length > 0) && {
      roles: { made: [...(madeRoles ?? [])], ...(missing.length > 0 && { missing }) },
    }),
    warnings: olderServer(manifest, server.versionNumber),
  };
}

/** What was dumped from an older server it takes, by however new a pg_dump; never surely what is from a newer one. */
function olderServer({ server, programs }: Manifest, versionNumber: number): string[] {
  const major = majorOf(versionNumber);
  const dumped = server === undefined ? Number.parseInt(programs['pg_dump'] ?? '', 10) : majorOf(server.versionNumber);
  if (!(dumped > major)) return [];
  return [`the server is older (PostgreSQL ${major}) than that of the dump (${dumped}): it may not know all of it`];
}

function majorOf(versionNumber: number): number {
  return Math.floor(versionNumber / 10_000);
}

/** `160004` as `16.4`. */
function versionOf(versionNumber: number): string {
  return `${String(majorOf(versionNumber))}.${String(versionNumber % 10_000)}`;
}
