import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** Which modules a part of the tree may import at run time; `type` imports are nobody's dependency. */
const RULES: { part: RegExp; may: RegExp }[] = [
  { part: /^domain\//, may: /^domain\// },
  { part: /^archive\//, may: /^(archive\/|node:timers)/ },
  {
    part: /^workflows\//,
    may: /^(domain\/|workflows\/|@temporalio\/(workflow|common)$)/,
  },
  {
    part: /^(sources|drill|steps|pipeline|destinations|config|doctor)\//,
    may: /^(?!@temporalio\/|workflows\/|activities\/|worker\/|commands\/)/,
  },
  { part: /^(?!pipeline\/)/, may: /^(?!execa$)/ },
  { part: /^(?!destinations\/s3)/, may: /^(?!@aws-sdk\/)/ },
  { part: /^(?!commands\/|client\.ts)/, may: /^(?!commands\/)/ },
];

interface Import {
  from: string;
  to: string;
}

function runtimeImports(): Import[] {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return files.flatMap((from) => {
    const text = readFileSync(join(SRC, from), 'utf8');
    const statements = text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm);
    return [...statements].map(([, to = '']) => ({
      from,
      to: to.startsWith('.') ? relative(SRC, join(SRC, dirname(from), to)) : to,
    }));
  });
}

describe('the source tree', () => {
  const imports = runtimeImports();

  it('is read by this test', () => {
    expect(imports).toContainEqual({ from: 'workflows/backup-run.ts', to: '@temporalio/workflow' });
    expect(imports.length).toBeGreaterThan(100);
  });

  for (const { part, may } of RULES) {
    it(`lets ${part.source} import only ${may.source}`, () => {
      const offending = imports.filter(({ from, to }) => part.test(from) && !may.test(to));
      expect(offending).toEqual([]);
    });
  }

  it('starts programs and speaks S3 each in one place', () => {
    const users = (name: RegExp) => [
      ...new Set(imports.filter(({ to }) => name.test(to)).map(({ from }) => dirname(from))),
    ];
    expect(users(/^execa$/)).toEqual(['pipeline']);
    expect(users(/^@aws-sdk\//)).toEqual(['destinations']);
    expect(users(/^(node:)?child_process$/)).toEqual(['pipeline']);
  });
});
