import { randomBytes } from 'node:crypto';
import { appendFile, cp, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const NOT_SHIPPED = new Set(['node_modules', '.git', 'dist', '.env', 'stack.env', 'test', 'test-results', 'docs']);

/** Every secret of a stack, by the words that are in no other one. */
export type StackSecrets = Record<'postgres' | 'transactions' | 's3' | 'temporal' | 'file', string>;

export interface StackFiles {
  /** Of the compose project, the directory and the image's tag. */
  name: string;
  directory: string;
  image: string;
  secrets: StackSecrets;
}

/** What an operator does before the first start: the shipped files, the examples copied and edited. `directory` is empty. */
export async function prepareStackFiles(directory: string): Promise<StackFiles> {
  const name = basename(directory);
  const kinds = ['postgres', 'transactions', 's3', 'temporal', 'file'] as const;
  const secrets = Object.fromEntries(kinds.map((kind) => [kind, randomBytes(12).toString('hex')])) as StackSecrets;
  const files = { name, directory, image: `backup-orchestrator:${name}`, secrets };
  const isShipped = (path: string) => !NOT_SHIPPED.has(path.slice(CHECKOUT.length));
  await cp(CHECKOUT, directory, { recursive: true, filter: isShipped });
  await writeFile(join(directory, '.env'), await machineSettings(files));
  await writeFile(join(directory, 'stack.env'), await stackEnv(files), { mode: 0o600 });
  await writeFile(join(directory, 'transactions_password'), `${secrets.transactions}\n`, { mode: 0o644 });
  await writeFile(join(directory, 'docker-compose.override.yml'), override(files));
  await editBackups(files);
  return files;
}

/** `.env`. Empty ports: the system chooses them. The password has what compose would take for a variable and a comment. */
async function machineSettings({ name, secrets }: StackFiles): Promise<string> {
  const { gid } = await stat('/var/run/docker.sock');
  return `COMPOSE_PROJECT_NAME=${name}
COMPOSE_PROFILES=demo
DOCKER_GID=${String(gid)}
WEB_UI_PORT=
TEMPORAL_PORT=
TEMPORAL_DB_PASSWORD='a$b#${secrets.temporal}'
`;
}

async function stackEnv({ directory, secrets }: StackFiles): Promise<string> {
  const example = await readFile(join(directory, 'stack.env.example'), 'utf8');
  return example
    .replace(/^POSTGRES_PASSWORD=.*$/m, `POSTGRES_PASSWORD='a$b #"${secrets.postgres}'`)
    .replace(/^TRANSACTIONS_PASSWORD=.*$/m, '')
    .replace(/^AWS_SECRET_ACCESS_KEY=.*$/m, `AWS_SECRET_ACCESS_KEY=${secrets.s3}`);
}

/** A Docker secret as README.md shows it, and an image of this run's own: other runs on the machine build theirs. */
function override({ image }: StackFiles): string {
  const secret = `
    environment: { TRANSACTIONS_PASSWORD_FILE: /run/secrets/transactions_password }
    secrets: [transactions_password]`;
  return `services:
  backup-orchestrator:
    image: ${image}${secret}
  demo-data:
    image: ${image}${secret}
  transactions:${secret}
secrets:
  transactions_password: { file: ./transactions_password }
`;
}

/** Times under which a dead worker is noticed in seconds, and a text that must not get into the image. */
async function editBackups({ directory, secrets }: StackFiles): Promise<void> {
  await appendFile(join(directory, 'backups.yml'), `  heartbeat_timeout: 3s\n  retry_delay: 1s\n  # ${secrets.file}\n`);
}
