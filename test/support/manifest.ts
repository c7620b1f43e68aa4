import { artifactName, inRun } from '../../src/domain/names.js';
import { MANIFEST_FORMAT, type Manifest } from '../../src/domain/manifest.js';
import type { CatalogEntry } from '../../src/domain/retention.js';

/** A manifest of the database `mordor` of the service `middle-earth`, with what a test cares about changed. */
export function aManifest(changes: Partial<Manifest> = {}): Manifest {
  const { target = 'mordor', kind = 'database', run = '20261124_030000' } = changes;
  return {
    format: MANIFEST_FORMAT,
    service: 'middle-earth',
    target,
    kind,
    source: { kind: 'database', systemIdentifier: '7400000000000000001', database: 'mordor' },
    host: 'default',
    run,
    artifact: {
      name: artifactName({ target, kind, run, compression: 'gzip' }),
      compression: 'gzip',
      compressionLevel: 6,
      sizeBytes: 100,
      sha256: 'a'.repeat(64),
      crc32: '0'.repeat(8),
    },
    captureStartedAt: '2026-11-24T06:00:01.000Z',
    captureFinishedAt: '2026-11-24T06:00:02.000Z',
    programs: { pg_dump: '15.18' },
    warnings: [],
    timings: { captureMs: 1, proveMs: 1 },
    ...changes,
  };
}

export function anEntry(changes: Partial<Manifest> = {}, whole = true): CatalogEntry {
  const manifest = aManifest(changes);
  return { manifest, path: inRun(manifest.run, manifest.artifact.name), whole };
}
