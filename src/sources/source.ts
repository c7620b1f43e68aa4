import type { Manifest } from '../domain/manifest.js';
import type {
  DatabaseTarget,
  GlobalsTarget,
  MountedVolumeTarget,
  NamedVolumeTarget,
  ServerLogin,
  Target,
  VolumeTarget,
} from '../domain/target.js';
import type { Runtime } from '../runtime.js';
import type { StepContext } from '../steps/step.js';
import { captureMounted, describeMounted } from './directory/capture.js';
import { captureDatabase, describeDatabase } from './postgres/capture.js';
import { captureGlobals, describeGlobals } from './postgres/globals.js';
import { quiescing, type Quiesce } from './quiesce/quiesce.js';
import { captureVolume, describeVolume, removeAttempts } from './volume/capture.js';

/** What a capture learns for the manifest. */
export type Captured = Pick<
  Manifest,
  'source' | 'programs' | 'server' | 'database' | 'writtenUnder' | 'roles' | 'quiesced' | 'warnings'
>;

/** One attempt at capturing one target. */
export interface AttemptSource {
  /** Of the file that is captured into: a volume's helper writes it as the group. */
  readonly partMode: number;
  /** Whether the file grows at its end alone, and nobody is kept from work until it is written: then it may be read meanwhile. */
  readonly mayBeReadEarly: boolean;
  /** Ends what dead or lost attempts at this target left running. */
  endOtherAttempts(): Promise<void>;
  /** Writes the compressed bytes to `partPath`; every program ended well when it resolves. */
  capture(partPath: string, step: StepContext): Promise<Captured>;
  /** The same facts without the bytes, for an artifact that lacks only its manifest. */
  describe(step: StepContext): Promise<Captured>;
}

export interface SourceInput<T extends Target = Target> {
  target: T;
  runtime: Runtime;
  service: string;
  run: string;
  /** The attempt's own word, in temporary and container names. */
  token: string;
}

export function openSource(input: SourceInput): AttemptSource {
  const { target } = input;
  if (target.kind === 'database') return databaseSource({ ...input, target });
  if (target.kind === 'globals') return globalsSource({ ...input, target });
  return 'path' in target ? mountedSource({ ...input, target }) : volumeSource({ ...input, target });
}

function databaseSource({ target, runtime }: SourceInput<DatabaseTarget>): AttemptSource {
  const login = () => {
    const password = runtime.config.passwordOf(target);
    return {
      target: target.name,
      connection: target.connection,
      tools: runtime.tools,
      ...(password !== undefined && { password }),
    };
  };
  const { compression, compressionLevel: level, dumpFormat, dumpJobs: jobs } = target;
  return {
    partMode: 0o600,
    mayBeReadEarly: dumpFormat !== 'custom' && (jobs ?? 1) === 1,
    endOtherAttempts: () => Promise.resolve(), // pg_dump dies with its worker
    capture: (partPath, step) =>
      captureDatabase({ ...login(), compression, dumpFormat, level, jobs, partPath, ...step }),
    describe: (step) => describeDatabase({ ...login(), compression, dumpFormat, ...step }),
  };
}

function globalsSource({ target, runtime }: SourceInput<GlobalsTarget>): AttemptSource {
  const { name, logins, compression, compressionLevel: level } = target;
  const { tools, config } = runtime;
  const common = {
    target: name,
    logins,
    tools,
    compression,
    passwordOf: (login: ServerLogin) => config.passwordOf(login),
  };
  return {
    partMode: 0o600,
    mayBeReadEarly: true,
    endOtherAttempts: () => Promise.resolve(), // pg_dumpall dies with its worker
    capture: (partPath, step) => captureGlobals({ ...common, level, partPath, ...step }),
    describe: (step) => describeGlobals({ ...common, ...step }),
  };
}

function volumeSource({ target, runtime, service, run, token }: SourceInput<NamedVolumeTarget>): AttemptSource {
  const { helperImage } = runtime.config.backup;
  const common = {
    target: target.name,
    service,
    volumeName: target.volumeName,
    host: target.host,
    compression: target.compression,
    level: target.compressionLevel,
    tools: runtime.tools,
    ...(helperImage !== undefined && { helperImage }),
  };
  return {
    partMode: 0o660,
    mayBeReadEarly: target.quiesce === undefined,
    endOtherAttempts: async () => {
      await removeAttempts({ service, target: target.name, exceptToken: token });
    },
    capture: (partPath, step) =>
      captureVolume({ ...common, partPath, attemptToken: token, ...step, ...quiesceOf(target, runtime, run, step) }),
    describe: (step) => describeVolume({ ...common, ...step }),
  };
}

function mountedSource({ target, runtime, run }: SourceInput<MountedVolumeTarget>): AttemptSource {
  const { path, host, compression, compressionLevel: level } = target;
  const common = { target: target.name, path, host, compression, level, tools: runtime.tools };
  return {
    partMode: 0o600,
    mayBeReadEarly: target.quiesce === undefined,
    endOtherAttempts: () => Promise.resolve(), // tar dies with its worker
    capture: (partPath, step) =>
      captureMounted({ ...common, partPath, ...step, ...quiesceOf(target, runtime, run, step) }),
    describe: () => describeMounted(common),
  };
}

function quiesceOf(target: VolumeTarget, runtime: Runtime, run: string, step: StepContext): { quiesce?: Quiesce } {
  const { name, quiesce: policy } = target;
  if (policy === undefined) return {};
  return { quiesce: quiescing({ target: name, run, policy, root: runtime.local.root, ...step }) };
}
