import type { Finding } from '../doctor/check.js';
import { examine } from '../doctor/doctor.js';
import { initDirectory } from '../doctor/init-directory.js';
import { EXIT } from '../domain/outcome.js';
import type { AddCommand, CommandContext } from './context.js';

interface DoctorOptions {
  initDir?: boolean;
  json?: boolean;
}

export const addDoctorCommand: AddCommand = (program, context) => {
  program
    .command('doctor')
    .description('looks at everything that a run needs, and says what to do about each problem')
    .option('--init-dir', 'first make backup_dir the directory that backups belong to')
    .option('--json', 'print JSON')
    .action((options: DoctorOptions) => doctor(context, options));
};

async function doctor(context: CommandContext, { initDir, json }: DoctorOptions): Promise<void> {
  const runtime = await context.runtime();
  if (initDir === true) {
    const { id, service } = await initDirectory({ runtime, say: (text) => context.say(text) });
    context.say(`${runtime.local.root} is now the directory ${id} of the service ${service}`);
  }
  const findings = await examine({ runtime });
  if (json === true) context.printJson(findings);
  else for (const finding of findings) context.print(describe(finding));
  const problems = findings.filter(({ ok }) => !ok);
  context.say(
    problems.length === 0
      ? 'no problem found'
      : `${String(problems.length)} of ${String(findings.length)} checks found a problem`,
  );
  if (problems.length > 0) context.exitCode = EXIT.failed;
}

function describe({ check, subject, ok, message, hint }: Finding): string {
  const line = `${ok ? 'ok      ' : 'PROBLEM '} ${check} ${subject}: ${message}`;
  return hint === undefined ? line : `${line}\n         HINT: ${hint}`;
}
