import { realpath, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Quiesced } from '../../domain/manifest.js';
import { cpuShares, priorityPrograms, priorityWords, type Priority } from '../../domain/priority.js';
import type { Compression, Source } from '../../domain/target.js';
import { throwIfAborted } from '../../pipeline/abort.js';
import { compressor } from '../../pipeline/compression.js';
import type { Tools } from '../../pipeline/tools.js';
import { captureWarnings, requireGoodEnd } from '../tar/capture-messages.js';
import { containersUsing, findVolume, removeVolumeLabelled } from '../docker/volume.js';
import { pollFileSize } from '../../pipeline/file-size-poll.js';
import { runHelper } from '../docker/helper-container.js';
import { ensureHelperImage } from '../docker/helper-image.js';
import { LABEL, removeAttempts } from '../docker/helper-labels.js';
import { createMessagesFile, readMessages } from '../docker/helper-messages.js';
import { mountsFor, type Mount } from '../docker/helper-mount.js';
import { CAPTURE_SCRIPT, VOLUME_MOUNT_POINT } from '../docker/helper-script.js';
import type { HelperContainer } from '../docker/helper-options.js';
import { findOwnContainer } from '../docker/own-container.js';
import { hot, type Quiesce, type Rest } from '../quiesce/quiesce.js';
import { usersBesides } from './users.js';
import { missingVolume, requireVolume } from './check.js';

export { removeAttempts } from '../docker/helper-labels.js';

export interface VolumeCaptureInput {
  target: string;
  service: string;
  volumeName: string;
  /** The worker's host, part of the source. */
  host: string;
  compression: Compression;
  level: number;
  /** Exists, empty, mode 0660, owned by this process. */
  partPath: string;
  attemptToken: string;
  /** Default: this container's own image, or one made of this host's programs. */
  helperImage?: string;
  tools: Tools;
  /** The container is killed and removed before the promise settles. */
  signal: AbortSignal;
  /** Told the size of the part, each second in which it grew. */
  onProgress: (sizeBytes: number) => void;
  /** Of the helper, and of tar and the compressor in it. */
  priority?: Priority;
  /** Brings to rest what uses the volume, while it is read. Default: nothing. */
  quiesce?: Quiesce;
}

export interface CapturedVolume {
  source: Source;
  /** Program to version, as they are in the helper. */
  programs: Record<string, string>;
  /** What was down meanwhile, where that was asked for. */
  quiesced?: Quiesced;
  warnings: string[];
}

/**
 * Writes the volume as a compressed tar archive to `partPath`, by a container that reads it and nothing else. Ends other
 * attempts at this target first. Errors: NotFound (no such volume; none is made), ServerUnreachable (engine), DiskFull,
 * ProgramMissing, ProgramFailed.
 */
export async function captureVolume(input: VolumeCaptureInput): Promise<CapturedVolume> {
  const { target, service, volumeName, attemptToken, signal } = input;
  throwIfAborted(signal);
  await removeAttempts({ service, target, exceptToken: attemptToken });
  await requireVolume(`capture ${target}`, volumeName);
  const partPath = await realpath(input.partPath);
  const messagesPath = await createMessagesFile(partPath);
  try {
    return await captureTo({ ...input, partPath, messagesPath });
  } finally {
    await rm(messagesPath, { force: true });
  }
}

/** The facts of `captureVolume` for an artifact that an earlier attempt wrote; its programs and warnings are not known. */
export function describeVolume({
  host,
  volumeName,
}: Pick<VolumeCaptureInput, 'host' | 'volumeName'>): Promise<CapturedVolume> {
  return Promise.resolve({ source: sourceOf({ host, volumeName }), programs: {}, warnings: [] });
}

interface CaptureFiles {
  partPath: string;
  messagesPath: string;
}

async function captureTo(input: VolumeCaptureInput & CaptureFiles): Promise<CapturedVolume> {
  const container = await helperFor(input); // it may take long: nothing is down yet
  const quiesce = input.quiesce ?? hot(input.signal);
  const { result, quiesced, warnings } = await quiesce((rest) => readVolume(input, container, rest));
  return {
    source: sourceOf(input),
    ...result,
    ...(quiesced && { quiesced }),
    warnings: [...warnings, ...result.warnings],
  };
}

async function readVolume(
  input: VolumeCaptureInput & CaptureFiles,
  container: HelperContainer,
  { signal, containers }: Rest,
): Promise<Pick<CapturedVolume, 'programs' | 'warnings'>> {
  const { volumeName, attemptToken, partPath, messagesPath, onProgress } = input;
  const what = `capture ${input.target}`;
  const use = usersBesides(containers, await containersUsing(volumeName), (mount) => mount.Name === volumeName);
  let wasMissing = false;
  try {
    const end = await runHelper(container, {
      what,
      signal,
      onCreated: async () => {
        wasMissing = (await findVolume(volumeName))?.labels[LABEL.attempt] === attemptToken;
        if (wasMissing) throw missingVolume(what, volumeName);
      },
      onStarted: () => pollFileSize(partPath, onProgress),
    });
    const messages = await readMessages(messagesPath);
    await requireGoodEnd({ what, end, messages, partPath });
    return { programs: messages.programs, warnings: captureWarnings(messages, use) };
  } finally {
    if (wasMissing) await removeVolumeLabelled(volumeName, LABEL.attempt, attemptToken);
  }
}

async function helperFor(input: VolumeCaptureInput & CaptureFiles): Promise<HelperContainer> {
  const {
    target,
    service,
    volumeName,
    attemptToken,
    partPath,
    messagesPath,
    helperImage,
    signal,
    priority = { nice: 0 },
  } = input;
  const ownContainer = await findOwnContainer();
  const { file, args } = compressor(input.tools, input.compression, input.level);
  const label = `${LABEL.attempt}=${attemptToken}`;
  const volume: Mount = { type: 'volume', source: volumeName, target: VOLUME_MOUNT_POINT, readonly: true, label };
  return {
    name: `backup-orchestrator-${target}-${attemptToken}`,
    image: await ensureHelperImage({
      ...(helperImage !== undefined && { helperImage }),
      ...(ownContainer !== undefined && { ownContainer }),
      signal,
    }),
    labels: { [LABEL.service]: service, [LABEL.target]: target, [LABEL.attempt]: attemptToken },
    mounts: [volume, ...mountsFor([partPath, messagesPath], ownContainer)],
    // Its root reads whatever the volume holds; it writes the part as a member of its group.
    capabilities: ['DAC_READ_SEARCH'],
    groups: await groupsOf([partPath, messagesPath]),
    cpuShares: cpuShares(priority),
    env: {
      ...{ ARTIFACT: partPath, MESSAGES: messagesPath },
      ...{ PRIORITY: priorityWords(priority).join(' '), PRIORITY_PROGRAMS: priorityPrograms(priority).join(' ') },
    },
    script: CAPTURE_SCRIPT,
    args: [basename(file), ...args],
  };
}

async function groupsOf(paths: readonly string[]): Promise<number[]> {
  const gids = await Promise.all(paths.map(async (path) => (await stat(path)).gid));
  return [...new Set(gids)];
}

function sourceOf({ host, volumeName }: Pick<VolumeCaptureInput, 'host' | 'volumeName'>): Source {
  return { kind: 'volume', host, volume: volumeName };
}
