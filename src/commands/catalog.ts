import { Option } from 'commander';
import { BackupError } from '../domain/errors.js';
import { EXIT } from '../domain/outcome.js';
import type { CatalogEntry } from '../domain/retention.js';
import { findConfigured } from '../steps/configured-target.js';
import { pullArtifacts } from '../steps/pull.js';
import type { AddCommand, CommandContext } from './context.js';
import { formatBytes } from './format.js';
import { untilInterrupted } from './interruption.js';
import { ProgressLine } from './progress-line.js';
import { runIdOf } from './run-id.js';

interface PullOptions {
  run?: string;
  json?: boolean;
}

export const addCatalogCommand: AddCommand = (program, context) => {
  const catalog = program.command('catalog').description('mends what a destination holds');
  catalog
    .command('pull')
    .description('brings artifacts that are missing in the directory back from S3, each byte checked')
    .argument('[target]', 'name of a target (default: all)')
    .addOption(new Option('--run <id>', 'only those of this run').argParser(runIdOf))
    .option('--json', 'print JSON')
    .action((target: string | undefined, options: PullOptions) => pull(context, target, options));
};

async function pull(context: CommandContext, name: string | undefined, { run, json }: PullOptions): Promise<void> {
  const runtime = await context.base();
  const target = name === undefined ? undefined : (findConfigured(runtime.config, name)?.name ?? name);
  const progress = new ProgressLine({ stream: process.stderr });
  const say = (text: string) => {
    progress.clear();
    context.say(text);
  };
  const onPulled = ({ path, manifest: { artifact } }: CatalogEntry) => {
    progress.clear();
    if (json !== true) context.print(`pulled ${path}, ${formatBytes(artifact.sizeBytes)}`);
  };
  const input = {
    ...{ from: runtime.destination('s3'), onPulled },
    ...(target !== undefined && { target }),
    ...(run !== undefined && { run }),
  };
  const { pulled, refused, presentCount } = await untilInterrupted(context, (signal) =>
    pullArtifacts(runtime, input, { signal, log: say, onProgress: (done) => progress.show(done, undefined) }),
  ).finally(() => progress.clear());
  if (pulled.length + refused.length + presentCount === 0) throw nothingThere(target, run);
  for (const { path, reason } of refused) say(`not pulled: ${path}: ${reason}`);
  if (refused.length > 0) {
    say('HINT: move what lies here under that name away, and pull again; nothing is replaced');
    context.exitCode = EXIT.failed;
  }
  if (json === true) context.printJson(pulled.map(({ path, manifest: { artifact } }) => ({ path, ...artifact })));
  context.say(`${String(pulled.length)} pulled, ${String(presentCount)} were here`);
}

function nothingThere(target: string | undefined, run: string | undefined): BackupError {
  const what = [target, run === undefined ? undefined : `run ${run}`].filter((part) => part !== undefined).join(' of ');
  const message = `cannot pull ${what === '' ? 'anything' : what}: because S3 holds no such good artifact of this service and host`;
  return new BackupError('NotFound', message, { hint: '`backupctl list --from s3` shows what there is' });
}
