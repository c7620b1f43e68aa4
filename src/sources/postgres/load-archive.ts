import { BackupError } from '../../domain/errors.js';
import { digestFile } from '../../pipeline/digest.js';
import { requireSuccess, startPipeline } from '../../pipeline/process.js';
import { throwIfAborted } from '../../pipeline/abort.js';
import { choosePgRestore } from '../../pipeline/tools.js';
import { CONNECTION_OPTIONS, subjectOf } from './connection.js';
import { translatePostgresError } from './errors.js';
import type { LoadInput } from './load.js';

/**
 * Restores a dump in custom format by `jobs` at once, the first error fatal; returns what pg_restore warned of. The bytes are compared with
 * what they have to be afterwards. Errors: those of `loadDump`.
 */
export async function loadArchive(input: LoadInput & { jobs: number }): Promise<string[]> {
  const { session, artifactPath, format, jobs, facts: expected, onProgress } = input;
  const { tools, env, signal } = session;
  const what = `restore ${subjectOf(session)}`;
  const options = [`--jobs=${String(jobs)}`, '--exit-on-error', '--no-password', `--dbname=${CONNECTION_OPTIONS}`];
  const program = { file: choosePgRestore(tools, format.madeBy).path, args: [...options, artifactPath], env };
  const abortable = signal === undefined ? {} : { signal };
  const [ended] = await startPipeline({ stages: [program], stdout: 'ignore', ...abortable }).finished;
  throwIfAborted(signal);
  const stderr = ended?.stderr.trim() ?? '';
  try {
    requireSuccess(ended === undefined ? [] : [ended], what);
  } catch (error) {
    throw translatePostgresError(error, { subject: subjectOf(session), what });
  }
  if (/^pg_restore: error:|errors ignored on restore/m.test(stderr)) {
    throw new BackupError('ProgramFailed', `cannot ${what}: because pg_restore went on after an error: ${stderr}`);
  }
  const { sha256, sizeBytes } = await digestFile(artifactPath, { signal });
  onProgress?.(sizeBytes);
  if (sha256 !== expected.sha256) {
    const reason = `the bytes of ${artifactPath} are not those that its manifest names`;
    throw new BackupError('Damaged', `cannot ${what}: because ${reason}`);
  }
  return stderr === '' ? [] : stderr.split(/\n(?=pg_restore: )/).map((line) => line.replaceAll(/\s*\n\s*/g, ' '));
}
