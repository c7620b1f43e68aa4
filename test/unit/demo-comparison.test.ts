import { describe, expect, it } from 'vitest';
import { differencesBetween, requireSame, type Portrait } from '../../scripts/demo/comparison.js';

const PORTRAIT: Portrait = new Map([
  ['rows of public.orders', { count: 2, content: '7' }],
  ['index public.orders_pkey', { definition: 'CREATE UNIQUE INDEX …' }],
  ['photos/cat.jpg', { type: 'file', mode: '0644', xattrs: { 'user.comment': '0x61' } }],
]);

function changed(name: string, properties: Record<string, unknown>): Portrait {
  return new Map([...PORTRAIT, [name, { ...PORTRAIT.get(name), ...properties }]]);
}

describe('differencesBetween', () => {
  it('finds none between equal portraits, in whatever order', () => {
    expect(differencesBetween(PORTRAIT, new Map([...PORTRAIT].reverse()))).toEqual([]);
  });

  it('names a changed row', () => {
    expect(differencesBetween(PORTRAIT, changed('rows of public.orders', { content: '8' }))).toEqual([
      'rows of public.orders: content is "8" instead of "7"',
    ]);
  });

  it('names a dropped index', () => {
    const restored = new Map([...PORTRAIT].filter(([name]) => !name.startsWith('index')));
    expect(differencesBetween(PORTRAIT, restored)).toEqual(['index public.orders_pkey is missing']);
    expect(differencesBetween(restored, PORTRAIT)).toEqual(['index public.orders_pkey is not in the origin']);
  });

  it('names a changed file mode, a lost attribute and a new property', () => {
    const restored = changed('photos/cat.jpg', { mode: '0600', xattrs: {}, sameFileAs: 'photos/dog.jpg' });
    expect(differencesBetween(PORTRAIT, restored)).toEqual([
      'photos/cat.jpg: mode is "0600" instead of "0644"',
      'photos/cat.jpg: xattrs is {} instead of {"user.comment":"0x61"}',
      'photos/cat.jpg: sameFileAs is "photos/dog.jpg" instead of nothing',
    ]);
  });
});

describe('requireSame', () => {
  const compared = { kind: 'volume', origin: 'uploads', into: 'uploads-restored', portrait: PORTRAIT };

  it('accepts what is the same', () => {
    expect(() => requireSame(compared, PORTRAIT)).not.toThrow();
  });

  it('refuses anything else, with the first five differences', () => {
    const more = Array.from({ length: 7 }, (_none, index) => [`more ${String(index)}`, {}] as const);
    expect(() => requireSame(compared, new Map([...PORTRAIT, ...more]))).toThrow(
      /^the restored volume uploads-restored differs from uploads:\n {2}more 0 is not in the origin\n(.*\n){4} {2}and 2 more$/,
    );
  });
});
