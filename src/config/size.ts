const UNIT_BYTES: Record<string, number> = {
  B: 1,
  kB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  TB: 1000 ** 4,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};
const PATTERN = /^(\d{1,6}(?:\.\d{1,3})?) ?([kKMGT]?i?B)$/;

/** Bytes of `0B`, `500kB`, `1.5GB`, `64 MiB`; undefined where `text` is none of these. `KB` is taken for `kB`. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit = ''] = PATTERN.exec(text) ?? [];
  const unitBytes = UNIT_BYTES[unit === 'KB' ? 'kB' : unit];
  return amount === undefined || unitBytes === undefined ? undefined : Math.round(Number(amount) * unitBytes);
}
