import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Secrets } from './secrets.js';
import { BUCKET, POSTGRES_USER, type Servers } from './servers.js';
import type { DemoTarget } from './targets.js';

export const PREFIX = 'nightly';

export interface ConfigurationInput {
  directory: string;
  service: string;
  servers: Servers;
  secrets: Secrets;
  targets: readonly DemoTarget[];
}

/** Writes backups.yml and, readable for its owner alone, stack.env; returns the path of the former. */
export async function writeConfiguration(input: ConfigurationInput): Promise<string> {
  const configFile = join(input.directory, 'backups.yml');
  const backupDir = join(input.directory, 'backups');
  await mkdir(backupDir);
  await writeFile(configFile, backupsYml(input, backupDir));
  await writeFile(join(input.directory, 'stack.env'), stackEnv(input), { mode: 0o600 });
  return configFile;
}

function backupsYml({ service, servers: { postgres, s3 }, targets }: ConfigurationInput, backupDir: string): string {
  const where = `host: ${postgres.host}, port: ${String(postgres.port)}`;
  const login = 'user: "${POSTGRES_USER}", password: "${POSTGRES_PASSWORD}"';
  const databases = targets
    .filter(({ kind }) => kind === 'database')
    .map(
      ({ name, origin }) => `
  - name: "${name}"
    type: "database"
    enabled: true
    config: { ${where}, ${login}, database: "${origin}" }${name === 'helpdesk' ? '\n    compression: zstd' : ''}`,
    );
  const volumes = targets
    .filter(({ kind }) => kind === 'volume')
    .map(
      ({ name, origin }) => `
  - name: "${name}"
    enabled: true
    volume_name: "${origin}"
    description: "What users of the shop uploaded"`,
    );
  return `# What the demo backs up. docs/configuration.md explains every key.
backup_targets:${databases.join('')}
volume_backups:${volumes.join('') || ' []'}
backup_config:
  service: "${service}"
  retention_count: 5
  backup_dir: ${JSON.stringify(backupDir)}
  s3_bucket: "\${S3_BUCKET}"
  s3_region: "\${AWS_DEFAULT_REGION}"
  s3_endpoint: "${s3.endpoint}"
  s3_force_path_style: true
  s3_prefix: "${PREFIX}"
  schedule: "0 3 * * *"
  timezone: "America/Sao_Paulo"
  compression_level: 6
`;
}

function stackEnv({ directory, servers: { temporal, s3 }, secrets }: ConfigurationInput): string {
  const variables = {
    POSTGRES_USER,
    POSTGRES_PASSWORD: secrets.postgresPassword,
    S3_BUCKET: BUCKET,
    AWS_DEFAULT_REGION: s3.region,
    AWS_ACCESS_KEY_ID: secrets.s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: secrets.s3.secretAccessKey,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: 'default',
    TEMPORAL_CONFIG_FILE: join(directory, 'none.toml'), // the user's own temporal.toml is for other servers
  };
  return Object.entries(variables)
    .map(([name, value]) => `${name}='${value}'\n`)
    .join('');
}
