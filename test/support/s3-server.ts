import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { freePort } from './free-port.js';
import { inScratchDirectory, removeDirectory } from './scratch-directory.js';
import { ServerProcess } from './server-process.js';
import { weedProgram } from './tools.js';
import { waitFor } from './wait-for.js';

const ACCESS_KEY_ID = 'AKIATESTTESTTEST0001';
const SECRET_ACCESS_KEY = 'test/secret+access/key';

export interface S3Server {
  /** http://127.0.0.1:port; buckets are in the path. */
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
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

/** An S3 server (SeaweedFS) that answers, without any bucket. */
export function startS3(): Promise<S3Server> {
  return inScratchDirectory('s3', startIn);
}

async function startIn(directory: string): Promise<S3Server> {
  await mkdir(join(directory, 'data'));
  await writeFile(join(directory, 'identities.json'), JSON.stringify(identities()));
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
    isReady: async () => (await hasDisk(ports['master.port'])) && (await isServing(endpoint)),
  });
  await server.start();
  return {
    ...{ endpoint, accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY, region: 'us-east-1', logFile },
    client: () => newClient(endpoint),
    createBucket: (name) => createBucket(endpoint, name),
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

function identities(): unknown {
  const credentials = [{ accessKey: ACCESS_KEY_ID, secretKey: SECRET_ACCESS_KEY }];
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

export function newClient(endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY },
    maxAttempts: 1,
  });
}

async function isServing(endpoint: string): Promise<boolean> {
  const client = newClient(endpoint);
  try {
    await client.send(new ListBucketsCommand({}));
    return true;
  } finally {
    client.destroy();
  }
}

export async function createBucket(endpoint: string, name: string): Promise<void> {
  const client = newClient(endpoint);
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
