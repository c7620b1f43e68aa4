import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { configurationDoc, CONFIGURATION_DOC } from '../../scripts/configuration-doc.js';
import { loadEnvironment } from '../../src/config/environment.js';
import { configJsonSchema } from '../../src/config/json-schema.js';
import { databaseEntry, fileOf, loadText } from '../support/config-file.js';

const shipped = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** The keys of every mapping that a JSON Schema describes. */
function propertyNames(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const own = 'properties' in schema ? Object.keys(schema.properties as object) : [];
  return [...own, ...Object.values(schema).flatMap(propertyNames)];
}

describe('the JSON Schema', () => {
  const schema = z.fromJSONSchema(configJsonSchema());
  const accepts = (text: string) => schema.safeParse(parse(text)).success;

  it('accepts the shipped file with its references unexpanded', () => {
    expect(accepts(readFileSync(shipped('backups.yml'), 'utf8'))).toBe(true);
  });

  it('accepts references and text where numbers, truth and words are meant', () => {
    const keys = { enabled: '${ON}', retention_count: '3', compression: '${C}', compression_level: '${L:-3}' };
    expect(accepts(fileOf({ databases: [databaseEntry('d', { port: '${PORT}' }, keys)] }))).toBe(true);
  });

  it('accepts a volume by its name and one by its path', () => {
    const volumes = [
      { name: 'v', volume_name: 'v' },
      { name: 'w', path: '/volumes/w', enabled: '${ON}' },
    ];
    expect(accepts(fileOf({ volumes }))).toBe(true);
  });

  it.each([
    [{ backup: { retension_count: 5 } }],
    [{ backup: { retention_count: 0 } }],
    [{ backup: { compression: 'xz' } }],
    [{ databases: [{ name: 'd' }] }],
    [{ databases: [databaseEntry('d', { port: 'x' })] }],
    [{ volumes: [{ name: 'v' }] }],
    [{ volumes: [{ name: 'v', volume_name: 'v', path: '/v' }] }],
  ])('refuses %j', (parts) => {
    expect(accepts(fileOf(parts))).toBe(false);
  });
});

describe('what is shipped', () => {
  it('is a documentation made from the schema (npx tsx scripts/configuration-doc.ts)', async () => {
    expect(readFileSync(CONFIGURATION_DOC, 'utf8')).toBe(await configurationDoc());
  });

  it('is a documentation that names every key', () => {
    const text = readFileSync(CONFIGURATION_DOC, 'utf8');
    const names = propertyNames(configJsonSchema());
    expect(names.length).toBeGreaterThan(35);
    expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it('is an example of stack.env that sets what backups.yml needs', async () => {
    const env = await loadEnvironment({ envFile: shipped('stack.env.example'), processEnv: {} });
    const config = await loadText(readFileSync(shipped('backups.yml'), 'utf8'), env);
    expect(config.refused).toEqual([]);
    expect(config.targets.map(({ name }) => name)).toEqual([
      ...['mordor', 'transactions', 'temporal', 'temporal_visibility', 'uploads'],
    ]);
  });
});
