import { readFile } from 'node:fs/promises';

/** A line of `/proc/<pid>/mountinfo`. */
export interface MountLine {
  /** `major:minor` of the file system. */
  device: string;
  /** Which directory of the file system is mounted. */
  root: string;
  mountPoint: string;
}

/** What is mounted for a process; nothing where the system has no such list or does not show it. */
export async function readMounts(pid: number | 'self' = 'self'): Promise<MountLine[]> {
  const text = await readFile(`/proc/${String(pid)}/mountinfo`, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [, , device, root, mountPoint] = line.split(' ');
    if (device === undefined || root === undefined || mountPoint === undefined) return [];
    return [{ device, root: unescaped(root), mountPoint: unescaped(mountPoint) }];
  });
}

export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/** The kernel writes space, tab, newline and backslash as `\\ooo`. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
