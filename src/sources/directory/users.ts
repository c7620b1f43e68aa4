import { readdir, readFile, readlink } from 'node:fs/promises';
import { isWithin, readMounts, type MountLine } from './mount-info.js';

export interface DirectoryUsers {
  /** `name (process 123)`, each once. */
  users: string[];
  /** Processes that this user may not look into. */
  hidden: number;
}

/**
 * Which processes have something in the directory (without symbolic links) open, work in it, or see it as a mount of their own, as those of
 * containers do. Where there is no `/proc`, none is known.
 */
export async function usersOf(path: string): Promise<DirectoryUsers> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  const own = await readlink('/proc/self/ns/mnt').catch(() => '');
  const place = placeOf(path, await readMounts());
  const found: DirectoryUsers = { users: [], hidden: 0 };
  for (const pid of pids.filter((one) => one !== process.pid)) {
    const use = await useBy(pid, { path, own, place });
    if (use === 'hidden') found.hidden += 1;
    if (use === 'used') found.users.push(`${await nameOf(pid)} (process ${String(pid)})`);
  }
  return found;
}

interface Looked {
  path: string;
  /** Our mount namespace. */
  own: string;
  /** The directory as its file system calls it. */
  place: { device: string; path: string } | undefined;
}

async function useBy(pid: number, { path, own, place }: Looked): Promise<'used' | 'hidden' | 'not'> {
  const directory = `/proc/${String(pid)}`;
  try {
    const namespace = await readlink(`${directory}/ns/mnt`);
    if (namespace !== own) {
      const isOurs = ({ device, root }: MountLine) => device === place?.device && isWithin(root, place.path);
      return (await readMounts(pid)).some(isOurs) ? 'used' : 'not';
    }
    const open = (await readdir(`${directory}/fd`)).map((fd) => `fd/${fd}`);
    const links = await Promise.all(
      ['cwd', 'root', 'exe', ...open].map((link) => readlink(`${directory}/${link}`).catch(() => '')),
    );
    return links.some((link) => isWithin(link, path)) ? 'used' : 'not';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EACCES' || code === 'EPERM' ? 'hidden' : 'not'; // else it has ended meanwhile
  }
}

function placeOf(path: string, mounts: readonly MountLine[]): Looked['place'] {
  const mount = mounts
    .filter(({ mountPoint }) => isWithin(path, mountPoint))
    .sort((one, other) => other.mountPoint.length - one.mountPoint.length)[0];
  if (mount === undefined) return undefined;
  const below = mount.mountPoint === '/' ? path : path.slice(mount.mountPoint.length);
  return { device: mount.device, path: (mount.root === '/' ? '' : mount.root) + below || '/' };
}

async function nameOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${String(pid)}/comm`, 'utf8').catch(() => 'a program')).trim();
}
