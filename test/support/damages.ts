import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createCatalog } from '../../src/catalog.js';
import { createLocalDestination } from '../../src/destinations/local.js';
import { artifactName, inRun, manifestName } from '../../src/domain/names.js';
import { compressor } from '../../src/pipeline/compression.js';
import { digestFile } from '../../src/pipeline/digest.js';
import { findTools } from '../../src/pipeline/tools.js';
import type { Runtime } from '../../src/runtime.js';
import { verifyArtifacts } from '../../src/steps/verify.js';
import { aManifest } from './manifest.js';

const run = promisify(execFile);
const RUN = '20261124_030000';
/** What base64 of random bytes is compressed to. */
const RANDOM_BYTES = 65_536;

/** One change to a file: a bit that is flipped, or an end that is cut off. */
export interface Damage {
  file: 'artifact' | 'manifest';
  what: 'flip' | 'cut';
  /** Of the byte; of a cut the size that is left. */
  position: number;
}

/** A kept artifact of a little more than 64 KiB, to be damaged and verified. */
export interface DamagedCopy {
  /** A bit of every byte, and every shorter size, of both files. */
  damages: Damage[];
  /** What `verify` says of it then: an outcome for each thing it found. */
  outcomesOf(damage?: Damage): Promise<string[]>;
  remove(): Promise<void>;
}

export async function placeCopy(): Promise<DamagedCopy> {
  const root = await mkdtemp(join(tmpdir(), 'damages-'));
  const tools = await findTools();
  const local = createLocalDestination({ root });
  const name = artifactName({ target: 'mordor', kind: 'database', run: RUN, compression: 'gzip' });
  const paths = { artifact: join(root, inRun(RUN, name)), manifest: join(root, inRun(RUN, manifestName(name))) };
  await mkdir(join(root, RUN));
  await writeFile(paths.artifact, await compressed(dumpText(), compressor(tools, 'gzip', 6)));
  const facts = await digestFile(paths.artifact);
  const artifact = { name, compression: 'gzip', compressionLevel: 6, ...facts } as const;
  await createCatalog(local).commit(aManifest({ target: 'mordor', kind: 'database', run: RUN, artifact }));
  const whole = { artifact: await readFile(paths.artifact), manifest: await readFile(paths.manifest) };
  const runtime = { local, tools } as Runtime;
  const step = { signal: new AbortController().signal, onProgress: () => undefined, log: () => undefined };
  return {
    damages: (['artifact', 'manifest'] as const).flatMap((file) =>
      [...whole[file].keys()].flatMap((position): Damage[] => [
        { file, what: 'flip', position },
        { file, what: 'cut', position },
      ]),
    ),
    async outcomesOf(damage) {
      const { file = 'artifact' } = damage ?? {};
      await writeFile(paths[file], damage === undefined ? whole[file] : damaged(whole[file], damage));
      const input = { method: 'read', destinations: [local], onVerified: () => undefined } as const;
      const verified = await verifyArtifacts(runtime, input, step);
      await writeFile(paths[file], whole[file]);
      return verified.map(({ outcome }) => outcome);
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

function dumpText(): string {
  const rows =
    randomBytes(RANDOM_BYTES)
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  const head = '--\n-- PostgreSQL database dump\n--\n\nCOPY public.rings (bearer) FROM stdin;';
  return [head, ...rows, '\\.\n', '--\n-- PostgreSQL database dump complete\n--\n'].join('\n');
}

async function compressed(
  text: string,
  { file, args = [] }: { file: string; args?: readonly string[] },
): Promise<Buffer> {
  const running = run(file, [...args], { encoding: 'buffer', maxBuffer: 10 * RANDOM_BYTES });
  running.child.stdin?.end(text);
  return (await running).stdout;
}

/** Which bit is flipped goes round with the position. */
function damaged(bytes: Buffer, { what, position }: Damage): Buffer {
  if (what === 'cut') return bytes.subarray(0, position);
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(position) ^ (1 << (position % 8)), position);
  return changed;
}
