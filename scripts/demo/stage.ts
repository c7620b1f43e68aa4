import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HELPER_REPOSITORY } from '../../src/sources/docker/helper-image.js';
import { removeDirectory } from '../../test/support/scratch-directory.js';
import { WorkerProcess } from '../../test/support/worker-process.js';
import { writeConfiguration } from './configuration.js';
import type { DemoContext } from './context.js';
import { dockerAnswers, removeFromDocker } from './docker.js';
import { isolateEnvironment } from './environment.js';
import { BUCKET, startServers, type Servers } from './servers.js';
import { makeDatabase, makeVolume, type DemoTarget, type VolumeNames } from './targets.js';

/** Servers, data and a worker: what an operator has before the first backup. */
export interface Stage {
  /** Holds everything that is made on this machine, volumes aside. */
  directory: string;
  servers: Servers;
  targets: DemoTarget[];
  configFile: string;
  /** Variables of the caller's environment that would win over stack.env; removed from this process's own. */
  foreign: string[];
}

/** Sets it all up; what was made and started is in the teardown, also where this throws. */
export async function setUpStage(context: DemoContext): Promise<Stage> {
  const directory = await makeDirectory(context);
  const foreign = isolateEnvironment(directory);
  const servers = await showServers(context);
  const targets = await makeTargets(context, servers);
  const { service, secrets } = context;
  const configFile = await writeConfiguration({ directory, service, servers, secrets, targets });
  await startWorker(context, directory, configFile);
  return { directory, servers, targets, configFile, foreign };
}

async function makeDirectory({ teardown }: DemoContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'backup-demo-'));
  teardown.add(`remove ${directory}`, () => removeDirectory(directory));
  await chmod(directory, 0o711); // where this is root, PostgreSQL runs as another user
  return directory;
}

async function showServers({ screen, secrets, teardown }: DemoContext): Promise<Servers> {
  screen.step('Servers, on free ports');
  const servers = await startServers(teardown, secrets);
  const { temporal, s3, postgres } = servers;
  screen.row('Temporal', `${temporal.address}, Web UI at ${temporal.uiUrl ?? ''}`);
  screen.row('S3', `${s3.endpoint}, bucket ${BUCKET}`);
  screen.row('PostgreSQL', `${String(postgres.major)} at ${postgres.host}:${String(postgres.port)}`);
  return servers;
}

async function makeTargets(context: DemoContext, { postgres }: Servers): Promise<DemoTarget[]> {
  context.signal.throwIfAborted();
  const { screen } = context;
  screen.step('Something to back up');
  const targets: DemoTarget[] = [];
  const add = (target: DemoTarget) => {
    targets.push(target);
    screen.row(target.name, target.description);
  };
  add(await makeDatabase(postgres, 'shop', 'local'));
  add(await makeDatabase(postgres, 'helpdesk', 's3'));
  if (await dockerAnswers()) add(await makeDockerVolume(context));
  else screen.line('No Docker engine answers here, so the volume is left out.');
  return targets;
}

function makeDockerVolume({ service, teardown }: DemoContext): Promise<DemoTarget> {
  const volumes: VolumeNames = { origin: `${service}-uploads`, into: `${service}-uploads-restored` };
  teardown.add('remove the Docker volumes', () => removeFromDocker(Object.values(volumes), service));
  // Another worker of this machine may be about to use it.
  teardown.kept.push(`the small image ${HELPER_REPOSITORY} in the Docker engine, for the next backup of a volume`);
  return makeVolume(volumes);
}

async function startWorker({ screen, teardown, signal }: DemoContext, directory: string, file: string): Promise<void> {
  signal.throwIfAborted();
  screen.step("The service's worker");
  screen.row('program', 'node dist/worker.js');
  screen.row('reads', `${file}, and stack.env beside it`);
  const worker = new WorkerProcess({ env: { BACKUPS_FILE: file }, logFile: join(directory, 'worker.log') });
  teardown.add('end the worker', () => worker.kill());
  await worker.start();
}
