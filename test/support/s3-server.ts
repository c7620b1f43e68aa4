import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { freePort } from './free-port.js';
import { inScratchDirectory, removeDirectory } from './scratch-directory.js';
import { ServerProcess } from './server-process.js';
import { weedProgram } from './tools.js';
import { waitFor } from './wait-for.js';

const KEYS: S3Keys = { accessKeyId: 'AKIATESTTESTTEST0001', secretAccessKey: 'test/secret+access/key' };

export interface S3Server extends S3Keys {
  /** http://127.0.0.1:port; buckets are in the path. */
  endpoint: string;
  region: string;
  logFile: string;
  /** Returns once objects can be put there. */
  createBucket(name: string): Promise<void>;
  /** A client of the test's own; the caller destroys it. */
  client(): S3Client;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Ends it where it runs (SIGKILL: a clean end takes 16 s and keeps no more), and starts it on the same port and data. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export interface S3Keys {
  accessKeyId: string;
  secretAccessKey: string;
}

/** An S3 server (SeaweedFS) that answers, without any bucket. Default keys: fixed ones, which `newClient` has too. */
export function startS3(keys: S3Keys = KEYS): Promise<S3Server> {
  return inScratchDirectory('s3', (directory) => startIn(directory, keys));
}

async function startIn(directory: string, keys: S3Keys): Promise<S3Server> {
  await mkdir(join(directory, 'data'));
  await writeFile(join(directory, 'identities.json'), JSON.stringify(identities(keys)));
  const ports = await chosenPorts();
  const endpoint = `http://127.0.0.1:${String(ports['s3.port'])}`;
  const logFile = join(directory, 'server.log');
  const server = new ServerProcess({
    name: 'the S3 server',
    program: weedProgram(),
    args: serverArguments(directory, ports),
    env: { WEED_MASTER_VOLUME_GROWTH_COPY_1: '1' }, // 7 volumes for each bucket by default
    cwd: directory,
    logFile,
    isReady: async () => (await hasDisk(ports['master.port'])) && (await isServing(endpoint, keys)),
  });
  await server.start();
  return {
    ...{ endpoint, ...keys, region: 'us-east-1', logFile },
    client: () => newClient(endpoint, keys),
    createBucket: (name) => createBucket(endpoint, name, keys),
    kill: () => server.kill(),
    async restart() {
      await server.kill();
      await server.start();
    },
    async stop() {
      await server.kill();
      await removeSockets(ports);
      await removeDirectory(directory);
    },
  };
}

function identities({ accessKeyId: accessKey, secretAccessKey: secretKey }: S3Keys): unknown {
  const credentials = [{ accessKey, secretKey }];
  return { identities: [{ name: 'tests', credentials, actions: ['Admin', 'Read', 'Write', 'List', 'Tagging'] }] };
}

// A port that is not named is another one plus 10000, which may be taken.
const LISTENERS = ['s3', 'master', 'volume', 'filer'] as const;
type Port = `${(typeof LISTENERS)[number]}.port${'' | '.grpc'}`;

async function chosenPorts(): Promise<Record<Port, number>> {
  const names = LISTENERS.flatMap((listener): Port[] => [`${listener}.port`, `${listener}.port.grpc`]);
  const chosen = await Promise.all(names.map(async (name) => [name, await freePort()] as const));
  return Object.fromEntries(chosen) as Record<Port, number>;
}

/** SeaweedFS makes these in /tmp, whatever `TMPDIR` says, and leaves them when it is killed. */
async function removeSockets(ports: Record<Port, number>): Promise<void> {
  for (const listener of LISTENERS) {
    await rm(`/tmp/seaweedfs-${listener}-grpc-${String(ports[`${listener}.port.grpc`])}.sock`, { force: true });
  }
}

function serverArguments(directory: string, ports: Record<Port, number>): string[] {
  const options: Record<string, string | number> = {
    ...ports,
    dir: join(directory, 'data'),
    ip: '127.0.0.1',
    'ip.bind': '127.0.0.1',
    s3: 'true',
    's3.config': join(directory, 'identities.json'),
    's3.port.iceberg': '0',
    's3.port.lance': '0',
    's3.localSocket': join(directory, 's3.sock'),
    'filer.localSocket': join(directory, 'filer.sock'),
    'master.telemetry': 'false',
    'master.electionTimeout': '1s', // 10 s by default, and as long no reads after a restart
    // Every bucket takes a volume: by default 30 GB set aside at once, and eight of them in all.
    'master.volumePreallocate': 'false',
    'master.volumeSizeLimitMB': '1024',
    'volume.max': '10000',
    'volume.minFreeSpace': '100MiB',
  };
  return [
    '-logtostderr=true',
    'server',
    ...Object.entries(options).map(([name, value]) => `-${name}=${String(value)}`),
  ];
}

export function newClient(endpoint: string, credentials = KEYS): S3Client {
  return new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials, maxAttempts: 1 });
}

async function isServing(endpoint: string, keys: S3Keys): Promise<boolean> {
  const client = newClient(endpoint, keys);
  try {
    await client.send(new ListBucketsCommand({}));
    return true;
  } finally {
    client.destroy();
  }
}

export async function createBucket(endpoint: string, name: string, keys = KEYS): Promise<void> {
  const client = newClient(endpoint, keys);
  try {
    await waitFor(`the bucket ${name} to be made`, () => client.send(new CreateBucketCommand({ Bucket: name })));
  } finally {
    client.destroy();
  }
}

/** The volume server joins a while after the S3 port answers; until then every read and write fails. */
async function hasDisk(masterPort: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${String(masterPort)}/dir/status`);
  const status = (await answer.json()) as { Topology: { Max: number } };
  return status.Topology.Max > 0;
}
