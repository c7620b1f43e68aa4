import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/domain/manifest.js';
import { readManifest, sealManifest } from '../../src/manifest-text.js';
import { aManifest } from '../support/manifest.js';

const FULL = aManifest({
  server: { product: 'PostgreSQL', version: '15.18 (Debian 15.18-1)', versionNumber: 150018 },
  database: {
    owner: 'ow"ner',
    encoding: 'LATIN1',
    collate: 'de_DE',
    ctype: 'de_DE',
    localeProvider: 'libc',
    connectionLimit: -1,
    allowConnections: true,
    isTemplate: false,
    tablespace: 'pg_default',
    comment: 'é \u{1F4BE} \\ " \n \u2028 },\n  "manifestSha256": "0"',
    acl: ['=c/ow"ner'],
    settings: [{ role: 'reader', name: 'search_path', value: '"$user", public' }],
  },
  roles: ['ow"ner', 'reader'],
  warnings: ['file changed as we read it: ./a'],
});

describe('the text of a manifest', () => {
  it('ends with the hash of all that precedes its line', () => {
    const text = sealManifest(FULL);
    const at = text.lastIndexOf('  "manifestSha256": "');
    expect(text.slice(at)).toMatch(/^ {2}"manifestSha256": "[0-9a-f]{64}"\n\}\n$/);
    expect(text).toContain(createHash('sha256').update(text.slice(0, at)).digest('hex'));
    expect(JSON.parse(text)).toMatchObject(FULL);
  });

  it.each([
    { kind: 'volume', host: 'default', volume: '/volumes/uploads' },
    { kind: 'volume', host: 'default', path: '/volumes/uploads' },
  ] as const)('gives the source %j of a volume back', (source) => {
    expect(readManifest(sealManifest(aManifest({ kind: 'volume', source }))).source).toEqual(source);
  });

  it('gives the manifest back, and its text again', () => {
    expect(readManifest(sealManifest(FULL))).toEqual(FULL);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'binary' })), (comment, warnings) => {
        const programs = { [comment]: 'x', __proto__: 'y' };
        const text = sealManifest({ ...FULL, warnings, programs });
        expect(sealManifest(readManifest(text))).toBe(text);
      }),
    );
  });

  it('keeps what a newer version added', () => {
    const newer = { ...FULL, encryption: { to: ['age1x'] }, artifact: { newer: 1, ...FULL.artifact } } as Manifest;
    expect(sealManifest(readManifest(sealManifest(newer)))).toBe(sealManifest(newer));
  });

  it('is refused with any one bit flipped', () => {
    const bytes = Buffer.from(sealManifest(FULL));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expectDamaged(flipped.toString('utf8'));
    }
  });

  it('is refused when it is cut, doubled or followed by anything', () => {
    const text = sealManifest(FULL);
    for (let length = 0; length < text.length; length++) expectDamaged(text.slice(0, length));
    for (const other of [text + text, `${text} `, `${text}\n`, ` ${text}`, `\uFEFF${text}`]) expectDamaged(other);
  });

  it.each<[string, unknown]>([
    ['another format', { ...FULL, format: 'backup-manifest/2' }],
    ['no target', without('target')],
    ['no source', without('source')],
    ['no warnings', without('warnings')],
    ['a target that is a path', { ...FULL, target: '../x' }],
    ['a run that is a path', { ...FULL, run: '../20261124_030000' }],
    ['an artifact that is a path', withArtifact({ name: '../x.sql.gz' })],
    ['an artifact that is hidden', withArtifact({ name: '.backup-dir.json' })],
    ['an empty artifact', withArtifact({ sizeBytes: 0 })],
    ['half a byte', withArtifact({ sizeBytes: 10.5 })],
    ['a hash in capitals', withArtifact({ sha256: 'A'.repeat(64) })],
    ['a short checksum', withArtifact({ crc32: '0' })],
    ['a moment that is none', { ...FULL, captureStartedAt: 'yesterday' }],
    ['a moment of another zone', { ...FULL, captureStartedAt: '2026-11-24T06:00:01.000+03:00' }],
    ['a source of neither kind', { ...FULL, source: { kind: 'volume', database: 'x' } }],
    ['a list', [FULL]],
  ])('is refused with %s, however well it is sealed', (_what, manifest) => {
    expectDamaged(sealManifest(manifest as Manifest));
  });
});

function withArtifact(changes: object): unknown {
  return { ...FULL, artifact: { ...FULL.artifact, ...changes } };
}

function without(name: keyof Manifest): unknown {
  return Object.fromEntries(Object.entries(FULL).filter(([key]) => key !== name));
}

function expectDamaged(text: string): void {
  let thrown: unknown;
  try {
    readManifest(text);
  } catch (error) {
    thrown = error;
  }
  if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'Damaged')) {
    throw new Error(`not refused: ${text.slice(-200)}`);
  }
}
