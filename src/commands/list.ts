import { Option } from 'commander';
import type { Config } from '../config/config.js';
import { BackupError } from '../domain/errors.js';
import { EXIT } from '../domain/outcome.js';
import type { DestinationKind } from '../domain/target.js';
import { lastVerified } from '../domain/verification.js';
import { listArtifacts, locationOf, type ArtifactListing, type FoundArtifact } from '../steps/list-artifacts.js';
import { findConfigured } from '../steps/configured-target.js';
import { findOrphans, type Orphans } from '../steps/orphans.js';
import type { AddCommand, CommandContext } from './context.js';
import { formatBytes } from './format.js';
import { formatLocalTime } from './local-time.js';
import { formatTable, type Column } from './table.js';
import { verifiedText } from './verified-text.js';

interface ListOptions {
  from?: DestinationKind;
  json?: boolean;
}

export const addListCommand: AddCommand = (program, context) => {
  program
    .command('list')
    .description('lists artifacts, newest first')
    .argument('[target]', 'name of a target (default: all)')
    .addOption(fromOption('list only these (default: all)'))
    .option('--json', 'print JSON')
    .action((target: string | undefined, options: ListOptions) => list(context, target, options));
};

export function fromOption(description: string): Option {
  return new Option('--from <destination>', description).choices(['local', 's3'] satisfies DestinationKind[]);
}

async function list(context: CommandContext, name: string | undefined, { from, json }: ListOptions): Promise<void> {
  const runtime = await context.base();
  const { config, destinations, destination } = runtime;
  const configured = name === undefined ? undefined : findConfigured(config, name);
  const target = configured?.name ?? name;
  const chosen = from === undefined ? destinations : [destination(from)];
  const listing = await listArtifacts({ destinations: chosen, ...(target !== undefined && { target }) });
  sayProblems(context, listing);
  if (listing.unreachable.length > 0) context.exitCode = EXIT.failed;
  const { artifacts } = listing;
  if (target !== undefined && artifacts.length + listing.unreachable.length === 0 && configured === undefined) {
    throw unknownTarget(target, config);
  }
  const orphans = await findOrphans(runtime, artifacts);
  if (json === true) return context.printJson(artifacts.map((found) => rowOf(found, orphans)));
  if (artifacts.length === 0) return context.say('no artifacts');
  context.print(formatTable(columnsFor(artifacts, { timezone: config.backup.timezone, orphans }), artifacts));
}

function sayProblems(context: CommandContext, { broken, unreachable }: ArtifactListing): void {
  for (const { error } of unreachable) context.say(error.text);
  for (const { destination, path, reason } of broken) {
    context.say(`not listed: ${destination.location}/${path}: ${reason}`);
  }
}

function unknownTarget(target: string, { file }: Config): BackupError {
  return new BackupError(
    'NotFound',
    `cannot list ${target}: because no artifact and no entry of ${file} has that name`,
    {
      hint: '`backupctl list` shows all artifacts',
    },
  );
}

/** A row of `list --json`. */
function rowOf(found: FoundArtifact, orphans: Orphans) {
  const { manifest, pin } = found.entry;
  return {
    run: manifest.run,
    target: manifest.target,
    kind: manifest.kind,
    destination: found.destination.kind,
    location: locationOf(found),
    sizeBytes: manifest.artifact.sizeBytes,
    sha256: manifest.artifact.sha256,
    createdAt: manifest.captureStartedAt,
    verified: lastVerified(found.entry.verification)?.verifiedAt ?? null,
    restoreMs: found.entry.verification?.results.drill?.restoreMs ?? null,
    pinned: pin ?? null,
    orphaned: orphans.get(found.entry) ?? null,
    suspicious: manifest.suspicious?.reason ?? null,
  };
}

function columnsFor(
  artifacts: readonly FoundArtifact[],
  { timezone, orphans }: { timezone: string; orphans: Orphans },
): Column<FoundArtifact>[] {
  const services = new Set(artifacts.map(({ entry }) => entry.manifest.service));
  const service: Column<FoundArtifact> = { title: 'SERVICE', value: ({ entry }) => entry.manifest.service };
  const notes: Column<FoundArtifact> = { title: 'NOTES', value: (found) => notesOf(found, orphans) };
  return [
    { title: 'RUN', value: ({ entry }) => entry.manifest.run },
    { title: 'TARGET', value: ({ entry }) => entry.manifest.target },
    { title: 'KIND', value: ({ entry }) => entry.manifest.kind },
    ...(services.size > 1 ? [service] : []),
    { title: 'DESTINATION', value: ({ destination }) => destination.kind },
    { title: 'SIZE', value: ({ entry }) => formatBytes(entry.manifest.artifact.sizeBytes), align: 'right' },
    { title: 'CREATED', value: ({ entry }) => formatLocalTime(entry.manifest.captureStartedAt, timezone) },
    { title: 'VERIFIED', value: ({ entry }) => verifiedText(entry.verification, timezone) },
    ...(artifacts.some((found) => notesOf(found, orphans) !== '') ? [notes] : []),
  ];
}

/** What retention makes of it that is not usual. */
function notesOf({ entry }: FoundArtifact, orphans: Orphans): string {
  const notes = {
    pinned: entry.pin !== undefined,
    orphaned: orphans.has(entry),
    suspicious: entry.manifest.suspicious !== undefined,
  };
  return Object.entries(notes)
    .filter(([, isSo]) => isSo)
    .map(([note]) => note)
    .join(', ');
}
