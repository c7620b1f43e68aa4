import { createHash } from 'node:crypto';
import { BackupError } from './domain/errors.js';
import type { Manifest } from './domain/manifest.js';
import { manifestShape } from './manifest-shape.js';

// The hash stands on the last line before the closing brace and covers every byte before that line.
const SEALED = /^(?<body>[\s\S]*\n) {2}"manifestSha256": "(?<sha256>[0-9a-f]{64})"\n\}\n$/;

/** The text of a manifest file: JSON whose last property is the SHA-256 of all text before that property's line. */
export function sealManifest(manifest: Manifest): string {
  const body = JSON.stringify(manifest, null, 2).replace(/\n\}$/, ',\n');
  return `${body}  "manifestSha256": "${sha256Of(body)}"\n}\n`;
}

/**
 * Sealing what this returns gives `text` again, unknown properties of a newer version included: a copy of a manifest has
 * the same bytes. Throws a BackupError `Damaged` where the hash, the format or what we rely on is not as it should be.
 */
export function readManifest(text: string): Manifest {
  const { body, sha256 } = SEALED.exec(text)?.groups ?? {};
  if (body === undefined) throw damaged('it does not end with the hash of its text');
  if (sha256Of(body) !== sha256) throw damaged('its text does not have the hash that it names');
  const manifest = parse(body);
  const shape = manifestShape.safeParse(manifest);
  if (!shape.success) {
    throw damaged(shape.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
  }
  return manifest as Manifest; // not `shape.data`, whose properties are in another order
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body.replace(/,\n$/, '\n}'));
  } catch (error) {
    throw damaged(`it is no JSON (${String(error)})`);
  }
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function damaged(why: string): BackupError {
  return new BackupError('Damaged', `cannot read the manifest: because ${why}`);
}
