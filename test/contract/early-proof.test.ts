import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Compression } from '../../src/domain/target.js';
import { compressor } from '../../src/pipeline/compression.js';
import { EarlyProof } from '../../src/pipeline/early-proof.js';
import { findTools, type Tools } from '../../src/pipeline/tools.js';
import { factsOf } from '../support/noise-file.js';
import { waitFor } from '../support/wait-for.js';

const run = promisify(execFile);
const SQL_END = '--\n-- PostgreSQL database dump complete\n--\n\n';
const MIB = 1024 * 1024;
/** Enough that the proof begins before the rest is there. */
const FIRST_BYTES = 17 * MIB;

let tools: Tools;
let whole: Record<Compression, Buffer>;

beforeAll(async () => {
  tools = await findTools();
  const sql = Buffer.concat([Buffer.from(randomBytes(20 * MIB).toString('base64')), Buffer.from(`\n${SQL_END}`)]);
  const compressed = (compression: Compression) => {
    const { file, args } = compressor(tools, compression, 1);
    return execFileSync(file, args, { input: sql, maxBuffer: 64 * MIB });
  };
  whole = { gzip: compressed('gzip'), zstd: compressed('zstd') };
});

/** A part that holds the first bytes, of which the proof has begun. */
async function begun(bytes: Buffer, compression: Compression) {
  const directory = await mkdtemp(join(tmpdir(), 'early-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'part');
  await writeFile(path, bytes.subarray(0, FIRST_BYTES));
  const told: number[] = [];
  const onProgress = (count: number) => void told.push(count);
  const proof = new EarlyProof({ path, kind: 'database', compression, tools, onProgress });
  onTestFinished(() => proof.giveUp());
  await waitFor('its programs', async () => (await programs()).length > 0);
  return { proof, path, told, rest: bytes.subarray(FIRST_BYTES) };
}

async function programs(): Promise<string[]> {
  const { stdout } = await run('pgrep', ['-P', String(process.pid), 'bgzip|zstd|tail']).catch(() => ({ stdout: '' }));
  return stdout.split('\n').filter(Boolean);
}

describe.each(['gzip', 'zstd'] as const)('the proof of a %s part that is still being written', (compression) => {
  test('finds what its bytes are once all are there, and tells no progress before', async () => {
    const { proof, path, told, rest } = await begun(whole[compression], compression);
    for (let at = 0; at < rest.length; at += MIB) await appendFile(path, rest.subarray(at, at + MIB));
    expect(told).toEqual([]);
    expect(await proof.finish()).toEqual(factsOf(whole[compression]));
    expect(told.at(-1)).toBe(whole[compression].length);
    expect(await programs()).toEqual([]);
  });

  test('says nothing of one that is cut or has more behind its end', async () => {
    const cut = await begun(whole[compression], compression);
    await appendFile(cut.path, cut.rest.subarray(0, -100));
    expect(await cut.proof.finish()).toBeUndefined();
    const longer = await begun(whole[compression], compression);
    await appendFile(longer.path, Buffer.concat([longer.rest, Buffer.from('more')]));
    expect(await longer.proof.finish()).toBeUndefined();
  });

  test('says nothing of one with a flipped bit', async () => {
    const flipped = Buffer.from(whole[compression]);
    flipped.writeUInt8(flipped.readUInt8(FIRST_BYTES + MIB) ^ 1, FIRST_BYTES + MIB);
    const { proof, path, rest } = await begun(flipped, compression);
    await appendFile(path, rest);
    expect(await proof.finish()).toBeUndefined();
  });

  test('leaves no program behind when it is given up', async () => {
    const { proof } = await begun(whole[compression], compression);
    await proof.giveUp();
    expect(await programs()).toEqual([]);
  });
});

test('a small part is left to the proof that follows', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'early-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'part');
  await writeFile(path, whole.zstd.subarray(0, MIB));
  expect(await new EarlyProof({ path, kind: 'database', compression: 'zstd', tools }).finish()).toBeUndefined();
});
