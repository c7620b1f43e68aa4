import { BackupError } from '../domain/errors.js';
import { runProgram, type Program } from '../pipeline/process.js';

/** Whom a server runs as that refuses to run as root. */
export interface ServerUser {
  name: string;
  uid: number;
  gid: number;
}

const CANDIDATES = ['postgres', 'nobody'];

/** Undefined: the user of this process, who is not root. */
export async function findServerUser(): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of CANDIDATES) {
    const user = await lookUp(name);
    if (user !== undefined) return user;
  }
  throw new BackupError(
    'ProgramMissing',
    'cannot start a server for a drill: because it must not run as root, and there is neither a user postgres nor nobody',
    { hint: 'run the worker as a user of its own' },
  );
}

/** The program as that user; it still dies with this process. */
export function asServerUser(user: ServerUser | undefined, program: Program): Program {
  const inRoot = { ...program, cwd: '/' };
  if (user === undefined) return inRoot;
  const identity = [`--reuid=${String(user.uid)}`, `--regid=${String(user.gid)}`, '--clear-groups'];
  // Again, since the kernel forgets it when the user changes.
  const args = ['--pdeathsig', 'KILL', ...identity, '--', program.file, ...program.args];
  return { ...inRoot, file: 'setpriv', args };
}

async function lookUp(name: string): Promise<ServerUser | undefined> {
  const ask = async (option: string) => Number((await runProgram({ file: 'id', args: [option, name] })).stdout);
  try {
    return { name, uid: await ask('-u'), gid: await ask('-g') };
  } catch (error) {
    if (error instanceof BackupError && error.code === 'ProgramFailed') return undefined;
    throw error;
  }
}
