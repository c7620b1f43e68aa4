import { expect, test } from 'vitest';
import type { InspectedContainer } from '../../src/sources/quiesce/container.js';
import { usersBesides } from '../../src/sources/volume/users.js';

const container = (name: string, volume: string) =>
  ({ Name: `/${name}`, Mounts: [{ Type: 'volume', Name: volume }] }) as unknown as InspectedContainer;
const isShop = ({ Name }: { Name?: string }) => Name === 'shop';
const db = container('db', 'shop');

test('a volume is at rest when all that use it are, and only then', () => {
  expect(usersBesides([], [], isShop)).toEqual({ usedBy: [], isAtRest: false });
  expect(usersBesides([], ['db'], isShop)).toEqual({ usedBy: ['db'], isAtRest: false });
  expect(usersBesides([db], ['db'], isShop)).toEqual({ usedBy: [], isAtRest: true });
  expect(usersBesides([db], ['web', 'db'], isShop)).toEqual({ usedBy: ['web'], isAtRest: false });
  expect(usersBesides([db], ['db,web/db'], isShop)).toEqual({ usedBy: [], isAtRest: true }); // a link has a name, too
});

test('containers that do not use it say nothing about it', () => {
  expect(usersBesides([container('mail', 'post')], [], isShop)).toEqual({ usedBy: [], isAtRest: false });
});
