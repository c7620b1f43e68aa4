import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface PlainUser {
  name: string;
  uid: number;
  gid: number;
}

/** Whom a server that refuses root runs as: `postgres`, else `nobody`; undefined where the tests are not root. */
export async function plainUser(): Promise<PlainUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const user = await lookUp(name);
    if (user !== undefined) return user;
  }
  throw new Error('there is neither a user postgres nor a user nobody to run a server as');
}

async function lookUp(name: string): Promise<PlainUser | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { name, uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

/** Options that make `setpriv` run a program as this user. */
export function setprivOptions(user: PlainUser | undefined): string[] {
  return user === undefined ? [] : [`--reuid=${String(user.uid)}`, `--regid=${String(user.gid)}`, '--clear-groups'];
}

export async function runAsPlainUser(user: PlainUser | undefined, program: string, args: string[]): Promise<void> {
  await run('setpriv', ['--pdeathsig', 'KILL', ...setprivOptions(user), program, ...args], { cwd: '/' });
}
