import { z } from 'zod';
import { MANIFEST_FORMAT, type Manifest } from './domain/manifest.js';
import { GLOBALS_NAME_PATTERN, RUN_PATTERN, TARGET_NAME_PATTERN } from './domain/names.js';

const text = z.string().min(1);
const count = z.int().nonnegative();
const port = z.int().min(1).max(65_535);

const source = z.union([
  z.object({ kind: z.literal('database'), systemIdentifier: text, database: text }),
  z.object({ kind: z.literal('database'), host: text, port, database: text }),
  z.object({ kind: z.literal('globals'), systemIdentifier: text }),
  z.object({ kind: z.literal('globals'), host: text, port }),
  z.object({ kind: z.literal('volume'), host: text, volume: text }),
  z.object({ kind: z.literal('volume'), host: text, path: text }),
]);

const database = z.object({
  owner: text,
  encoding: text,
  collate: z.string(),
  ctype: z.string(),
  localeProvider: text.exactOptional(),
  locale: text.exactOptional(),
  icuRules: text.exactOptional(),
  connectionLimit: z.int(),
  allowConnections: z.boolean(),
  isTemplate: z.boolean(),
  tablespace: text,
  comment: z.string().exactOptional(),
  acl: z.array(z.string()).exactOptional(),
  settings: z.array(z.object({ role: text.exactOptional(), name: text, value: z.string() })),
});

/** What is relied on in a manifest. Other properties are let through: a newer version may know more. */
export const manifestShape = z.object({
  format: z.literal(MANIFEST_FORMAT),
  service: text,
  target: z.union([z.string().regex(TARGET_NAME_PATTERN), z.string().regex(GLOBALS_NAME_PATTERN)]),
  kind: z.enum(['database', 'volume', 'globals']),
  source,
  host: text,
  run: z.string().regex(RUN_PATTERN),
  artifact: z.object({
    // It becomes a path beside the manifest: a file name of ours and nothing else.
    name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
    compression: z.enum(['gzip', 'zstd']),
    dumpFormat: z.literal('custom').exactOptional(),
    compressionLevel: count,
    sizeBytes: z.int().positive(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    crc32: z.string().regex(/^[0-9a-f]{8}$/),
  }),
  captureStartedAt: z.iso.datetime(),
  captureFinishedAt: z.iso.datetime(),
  programs: z.record(z.string(), z.string()),
  server: z
    .object({ product: z.literal('PostgreSQL'), version: text, versionNumber: z.int().positive() })
    .exactOptional(),
  database: database.exactOptional(),
  writtenUnder: z.record(z.string(), z.string()).exactOptional(),
  roles: z.array(z.string()).exactOptional(),
  quiesced: z
    .object({ how: z.enum(['stop', 'pause']), containers: z.array(z.string()), downMs: z.number().nonnegative() })
    .exactOptional(),
  warnings: z.array(z.string()),
  suspicious: z.object({ reason: text, inARow: z.int().positive() }).exactOptional(),
  timings: z.object({ captureMs: z.number().nonnegative(), proveMs: z.number().nonnegative() }),
}) satisfies z.ZodType<Manifest>;
