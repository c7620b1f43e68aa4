import { copyFile, mkdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostProject } from './compose-removal.js';
import { ComposeStack } from './compose-stack.js';

export interface HostInput {
  /** What `on_host` of its targets says. */
  host: string;
  /** The stack with everything else. */
  of: ComposeStack;
}

/** What an operator does on a further machine, up to `docker compose up`. It is removed with the stack. */
export async function prepareHost({ host, of }: HostInput): Promise<ComposeStack> {
  const name = hostProject(of.files.name);
  const directory = join(tmpdir(), name); // not inside the other, where compose would find its files
  await mkdir(directory, { mode: 0o700 });
  for (const file of ['docker-compose.yml', 'docker-compose.host.yml', 'backups.yml', 'stack.env']) {
    await copyFile(join(of.files.directory, file), join(directory, file));
  }
  await writeFile(join(directory, '.env'), await machineSettings(name, host));
  await writeFile(join(directory, 'docker-compose.override.yml'), override(of));
  return new ComposeStack({ ...of.files, name, directory });
}

async function machineSettings(name: string, host: string): Promise<string> {
  const { gid } = await stat('/var/run/docker.sock');
  return `COMPOSE_FILE=docker-compose.host.yml:docker-compose.override.yml
COMPOSE_PROJECT_NAME=${name}
DOCKER_GID=${String(gid)}
BACKUP_HOST=${host}
TEMPORAL_ADDRESS=temporal:7233
`;
}

/** What stands for the way between two machines: the network on which the Temporal and the S3 server are. */
function override({ files: { name, image } }: ComposeStack): string {
  return `services:
  backup-orchestrator:
    image: ${image}
    networks: [default, first]
networks:
  first: { external: true, name: ${name}_default }
`;
}
