import { mountOption, type Mount } from './helper-mount.js';

export interface HelperContainer {
  /** Has to be new. */
  name: string;
  image: string;
  labels: Record<string, string>;
  mounts: readonly Mount[];
  /** Linux capabilities that its root keeps; every other one is dropped. */
  capabilities: readonly string[];
  /** Further groups of its root. */
  groups?: readonly number[];
  /** What it weighs beside other containers, whose usual is 1024: nice values count within one alone. Default: the usual. */
  cpuShares?: number;
  env: Record<string, string>;
  /** A fixed text for bash: names reach it as environment only. */
  script: string;
  /** The script's `$1`, `$2` … */
  args: readonly string[];
}

// Compressors may start a thread for each core.
const PIDS_LIMIT = 1024;

/** The arguments of `docker` that make the container: it reaches its mounts and nothing else. */
export function createArguments(container: HelperContainer): string[] {
  const { name, image, labels, mounts, capabilities, groups = [], cpuShares, env, script, args } = container;
  const each = (option: string, values: readonly string[]) => values.flatMap((value) => [option, value]);
  const pairs = (record: Record<string, string>) => Object.entries(record).map(([key, value]) => `${key}=${value}`);
  return [
    ...['create', '--pull', 'never', '--name', name, ...each('--label', pairs(labels))],
    ...['--network', 'none', '--read-only', '--workdir', '/', '--user', '0:0', '--pids-limit', String(PIDS_LIMIT)],
    ...['--cap-drop', 'ALL', ...each('--cap-add', capabilities), '--security-opt', 'no-new-privileges'],
    // Under SELinux the helper could not write into the backup directory, and relabelling that is not ours to do.
    ...['--security-opt', 'label=disable'],
    // With remapped user ids the archive would hold other owners than the volume does.
    ...['--userns', 'host'],
    // Whatever the engine's default is: no helper's messages go to a log server, nor wait for one.
    ...['--log-driver', 'json-file', '--log-opt', 'max-size=1m', '--no-healthcheck', '--restart', 'no'],
    ...(cpuShares === undefined ? [] : ['--cpu-shares', String(cpuShares)]),
    ...each('--group-add', groups.map(String)),
    ...each('--mount', mounts.map(mountOption)),
    ...each('--env', pairs(env)),
    ...['--entrypoint', 'bash', image, '-c', script, 'bash', ...args],
  ];
}
