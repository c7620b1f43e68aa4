import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { differencesBetween, type Portrait } from '../../scripts/demo/comparison.js';
import { readDatabase } from '../../scripts/demo/database-portrait.js';
import { readVolume } from '../../scripts/demo/volume-portrait.js';
import { createVolume, insideVolume, removeVolume } from '../support/docker-volume.js';
import { runScript } from '../support/run-script.js';
import { psql } from '../support/shared-postgres.js';

const id = randomBytes(4).toString('hex');

function demoFile(name: string): Promise<string> {
  return readFile(new URL(`../../scripts/demo/${name}`, import.meta.url), 'utf8');
}

describe('what the demo compares of a database', () => {
  const [origin, copy] = [`shop_${id}`, `shop_copy_${id}`];
  let originPortrait: Portrait;
  let known: string[] = [];

  beforeAll(async () => {
    await psql('postgres', `CREATE DATABASE ${origin}`);
    await psql(origin, await demoFile('shop.sql'));
    originPortrait = await readDatabase(psql, origin);
    await psql('postgres', `CREATE DATABASE ${copy} TEMPLATE ${origin}`);
  });
  afterAll(async () => {
    for (const database of [origin, copy]) await psql('postgres', `DROP DATABASE IF EXISTS ${database}`);
    await psql('postgres', 'DROP ROLE demo_shop, demo_reports');
  });

  async function newDifferences(): Promise<string[]> {
    const all = differencesBetween(originPortrait, await readDatabase(psql, copy));
    const added = all.filter((difference) => !known.includes(difference));
    known = all;
    return added;
  }

  it('sees what a copy of the content alone lacks', async () => {
    expect(await newDifferences()).toEqual([
      expect.stringMatching(/^database: owner is "postgres" instead of "demo_shop"$/),
      expect.stringMatching(/^database: rights is /),
      expect.stringMatching(/^database: comment is nothing instead of "Orders of the shop"$/),
      expect.stringMatching(/^database: settings is nothing instead of "TimeZone=America\/Sao_Paulo"$/),
    ]);
  });

  it.each([
    [
      'a changed row',
      `UPDATE products SET title = title || ' ' WHERE id = 7`,
      [/^rows of public.products: content is /],
    ],
    [
      'rows that swapped a value',
      `UPDATE customers SET birthday = CASE id WHEN 1 THEN (SELECT birthday FROM customers WHERE id = 3) END WHERE id IN (1, 3)`,
      [/^rows of public.customers: content is /],
    ],
    [
      'a missing row',
      `DELETE FROM order_items WHERE order_id = 5 AND position = 2`,
      [/^rows of public.order_items: content is /, /^rows of public.order_items: count is 35999 instead of 36000$/],
    ],
    ['a dropped index', 'DROP INDEX orders_details', [/^index public.orders_details is missing$/]],
    [
      'a dropped constraint',
      'ALTER TABLE products DROP CONSTRAINT products_price_check',
      [/^constraint public.products.products_price_check is missing$/],
    ],
    [
      'a sequence set back',
      `SELECT setval('invoice_numbers', 100000)`,
      [/^position of sequence public.invoice_numbers: last value is 100000 instead of 135997$/],
    ],
    [
      'a view of another query',
      'CREATE OR REPLACE VIEW open_orders AS SELECT id, NULL::text AS name, placed_at, 0.0 AS total FROM orders',
      [/^view public.open_orders: query is /],
    ],
    [
      'a trigger that is off',
      'ALTER TABLE products DISABLE TRIGGER price_changed',
      [/^trigger public.products.price_changed: enabled is "D" instead of "O"$/],
    ],
    [
      'another column default',
      'ALTER TABLE products ALTER tags DROP DEFAULT',
      [/^column public.products.tags: default is nothing instead of /],
    ],
    [
      'a lost grant',
      'REVOKE SELECT ON revenue_by_month FROM demo_reports',
      [/^materialized view public.revenue_by_month: rights is /],
    ],
    [
      'something more',
      'CREATE TABLE stranger ()',
      [/^rows of public.stranger is not in the origin$/, /^table public.stranger is not in the origin$/],
    ],
  ])('sees %s', async (_what, sql, expected) => {
    await psql(copy, sql);
    expect((await newDifferences()).sort()).toEqual(
      expected.map((pattern) => expect.stringMatching(pattern) as string),
    );
  });

  it('takes no notice of the order of rows', async () => {
    await psql(copy, 'CREATE TABLE shuffled AS SELECT * FROM orders ORDER BY md5(id::text)');
    await psql(copy, 'TRUNCATE orders CASCADE');
    await psql(copy, 'INSERT INTO orders SELECT * FROM shuffled; DROP TABLE shuffled');
    expect((await newDifferences()).filter((difference) => difference.startsWith('rows of public.orders:'))).toEqual(
      [],
    );
  });
});

describe('what the demo compares of a volume', () => {
  const [origin, copy] = [`demo-uploads-${id}`, `demo-uploads-copy-${id}`];
  afterAll(async () => {
    for (const volume of [origin, copy]) await removeVolume(volume);
  });

  it('sees every kind of change, path by path', async () => {
    await createVolume(origin, await demoFile('uploads.sh'));
    const archive = await runScript(await insideVolume(origin), 'tar --create --format=posix --file=- . | base64');
    await createVolume(
      copy,
      `base64 --decode <<'END' | tar --extract --same-permissions --file=-\n${archive.toString()}END`,
    );
    const portrait = await readVolume(origin);
    expect(differencesBetween(portrait, await readVolume(copy))).toEqual([]);
    await runScript(
      await insideVolume(copy),
      `
      chmod 0644 documents/resize.sh
      chown 0:33 documents/private
      ln -sfn elsewhere thumbnails/latest && chown -h 33:33 thumbnails/latest
      rm 'documents/invoice 7.txt'
      touch -r 'documents/invoice 1.txt' stamp && printf 1 | dd of='documents/invoice 1.txt' conv=notrunc status=none
      touch -r stamp 'documents/invoice 1.txt' && rm stamp
      touch -d '2020-01-01 UTC' documents/private/contract.txt
      cp --preserve photos/2026/01/IMG_0001.jpg alone && mv -f alone thumbnails/photos-2026-01-IMG_0001.jpg
      : >stranger
      `,
    );
    const changes = differencesBetween(portrait, await readVolume(copy));
    expect(changes.filter((change) => !change.includes('modifiedAt'))).toEqual([
      expect.stringMatching(/^documents\/invoice 1\.txt: sha256 is "\w{64}" instead of "\w{64}"$/),
      'documents/invoice 7.txt is missing',
      'documents/private: uid is 0 instead of 33',
      'documents/resize.sh: mode is "0644" instead of "0755"',
      'photos/2026/01/IMG_0001.jpg: sameFileAs is nothing instead of "photos/2026/01/IMG_0001.jpg"',
      'thumbnails/latest: linkTarget is "elsewhere" instead of "../photos/2026/04/IMG_0003.jpg"',
      'thumbnails/photos-2026-01-IMG_0001.jpg: sameFileAs is nothing instead of "photos/2026/01/IMG_0001.jpg"',
      'stranger is not in the origin',
    ]);
    expect(changes).toContainEqual(
      expect.stringMatching(/^documents\/private\/contract\.txt: modifiedAt is "1577836800\./),
    );
  });
});
