import { randomBytes } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import type { Manifest } from '../domain/manifest.js';
import { MANIFEST_FORMAT } from '../domain/manifest.js';
import { artifactName } from '../domain/names.js';
import { checkSize } from '../domain/size-check.js';
import type { CaptureTargetInput, CapturedArtifact } from '../domain/steps.js';
import type { Target } from '../domain/target.js';
import { commitArtifact, createPart, findCommitted, removeStaleParts } from '../destinations/local-commit.js';
import type { FileFacts } from '../destinations/destination.js';
import { establishIdentity } from '../directory-identity.js';
import { EarlyProof } from '../pipeline/early-proof.js';
import { proveArtifact } from '../pipeline/prove.js';
import type { Runtime } from '../runtime.js';
import { openSource, type Captured } from '../sources/source.js';
import { earlierManifests } from './earlier-artifacts.js';
import type { StepContext } from './step.js';
import { sweepOnce } from './sweep.js';

/**
 * Captures one target, proves the file and commits it with its manifest. What an earlier attempt committed is returned as it is; what
 * one left without a manifest is proved and finished instead of being captured again.
 */
export async function captureTarget(
  runtime: Runtime,
  input: CaptureTargetInput,
  step: StepContext,
): Promise<CapturedArtifact> {
  const { target, directoryId: expectedId, service } = input;
  const { root } = runtime.local;
  const { id: directoryId } = await establishIdentity({
    root,
    service,
    ...(expectedId !== undefined && { expectedId }),
  });
  await sweepOnce({ destination: runtime.local, run: input.run, log: step.log });
  const { priority } = runtime.config.backup;
  const { artifact, source, warnings, suspicious } = await captureArtifact(runtime, input, { ...step, priority });
  if (suspicious !== undefined)
    step.log(`${target.name}: warning: ${artifact.name} is suspicious: ${suspicious.reason}`);
  const { name, sizeBytes, sha256 } = artifact;
  return { artifact: name, sizeBytes, sha256, source, warnings, directoryId };
}

async function captureArtifact(runtime: Runtime, input: CaptureTargetInput, step: StepContext): Promise<Manifest> {
  const { target, run, service } = input;
  const { root } = runtime.local;
  const { compression } = target;
  const dumpFormat = dumpFormatOf(target);
  const artifact = artifactName({ target: target.name, kind: target.kind, run, compression, dumpFormat });
  const token = randomBytes(6).toString('hex');
  const source = openSource({ target, runtime, service, run, token });
  await source.endOtherAttempts();
  await removeStaleParts({ root, run, artifact, exceptToken: token });

  const found = await findCommitted({ root, run, artifact });
  if (found !== undefined && found !== 'unfinished') return found;

  const startedAt = new Date();
  const proofOf = (path: string) => ({
    ...{ path, kind: target.kind, compression, dumpFormat, tools: runtime.tools },
    ...step,
  });
  const prove = async (path: string, early?: EarlyProof) => {
    step.log(`${target.name}: proving ${artifact}`);
    step.onProving?.();
    return (await early?.finish()) ?? proveArtifact(proofOf(path));
  };
  if (found === 'unfinished') {
    step.log(`${target.name}: found ${artifact} of an earlier attempt, without its manifest`);
    const facts = await source.describe(step);
    const before = await comparable(runtime, input, facts, step);
    const describe = manifestOf({ input, artifact, startedAt, captured: facts, before });
    return await commitArtifact({ root, run, artifact, prove, describe });
  }
  const part = await createPart({ root, run, artifact, token, mode: source.partMode });
  const early = source.mayBeReadEarly ? new EarlyProof(proofOf(part.path)) : undefined;
  try {
    step.log(`${target.name}: capturing to ${artifact}`);
    const facts = await source.capture(part.path, step);
    for (const warning of facts.warnings) step.log(`${target.name}: warning: ${warning}`);
    await chmod(part.path, 0o600); // the helper of a volume needed more
    const before = await comparable(runtime, input, facts, step);
    const describe = manifestOf({ input, artifact, startedAt, captured: facts, before });
    const proveIt = (path: string) => prove(path, path === part.path ? early : undefined);
    return await commitArtifact({ root, run, artifact, part, prove: proveIt, describe });
  } finally {
    await early?.giveUp(); // nothing is left of it after a commit
    await rm(part.path, { force: true }); // gone after a commit; after a failure nobody needs it, and the disk may be full
  }
}

/** Nothing, where nobody asks for a comparison. */
async function comparable(
  runtime: Runtime,
  { target, service }: CaptureTargetInput,
  { source }: Captured,
  { log }: StepContext,
): Promise<Manifest[]> {
  if ((target.maxShrinkPercent ?? 100) >= 100) return [];
  return earlierManifests(runtime, { service, target, source, log });
}

interface ManifestInput {
  input: CaptureTargetInput;
  artifact: string;
  startedAt: Date;
  captured: Captured;
  before: Manifest[];
}

function manifestOf({ input, artifact, startedAt, captured: facts, before }: ManifestInput) {
  const capturedAt = Date.now();
  return (stored: FileFacts, found: 'own' | 'earlier'): Manifest => {
    const { target, run, service } = input;
    const { warnings, ...described } = facts;
    const adopted = found === 'earlier' ? ['written by an earlier attempt that ended before its manifest'] : [];
    const file = { name: artifact, ...formatOf(target), ...stored };
    const suspicious = checkSize({ stored: { run, artifact: file }, before, ...sizeLimitsOf(target) });
    const doubts = suspicious === undefined ? [] : [`suspicious: ${suspicious.reason}; no older artifact goes for it`];
    return {
      format: MANIFEST_FORMAT,
      service,
      target: target.name,
      kind: target.kind,
      host: target.host,
      run,
      artifact: file,
      captureStartedAt: startedAt.toISOString(),
      captureFinishedAt: new Date().toISOString(),
      ...described,
      warnings: [...warnings, ...adopted, ...doubts],
      ...(suspicious !== undefined && { suspicious }),
      timings: { captureMs: capturedAt - startedAt.getTime(), proveMs: Date.now() - capturedAt },
    };
  };
}

function sizeLimitsOf({ minSizeBytes, maxShrinkPercent }: Target) {
  return {
    ...(minSizeBytes !== undefined && { minSizeBytes }),
    ...(maxShrinkPercent !== undefined && { maxShrinkPercent }),
  };
}

function formatOf(target: Target) {
  const { compression, compressionLevel } = target;
  const dumpFormat = dumpFormatOf(target);
  return { compression, compressionLevel, ...(dumpFormat !== undefined && { dumpFormat }) };
}

function dumpFormatOf(target: Target) {
  return target.kind === 'database' ? target.dumpFormat : undefined;
}
