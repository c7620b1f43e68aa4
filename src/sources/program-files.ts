import { BackupError } from '../domain/errors.js';
import { failedStage, runProgram } from '../pipeline/process.js';

/** The programs and every library that they load, the loader included: absolute paths, sorted, each once. */
export async function filesOf(programs: readonly string[]): Promise<string[]> {
  const libraries = await Promise.all(programs.map(librariesOf));
  return [...new Set([...programs, ...libraries.flat()])].sort();
}

async function librariesOf(program: string): Promise<string[]> {
  try {
    const { stdout } = await runProgram({ file: 'ldd', args: [program] });
    return parseLdd(stdout, program);
  } catch (error) {
    const stage = failedStage(error);
    if (/not a dynamic executable|statically linked/.test(stage?.stderr ?? '')) return [];
    throw error;
  }
}

/** Lines of `ldd`: `libc.so.6 => /lib/…/libc.so.6 (0x…)`, `/lib64/ld-linux-x86-64.so.2 (0x…)`, `linux-vdso.so.1 (0x…)`. */
export function parseLdd(text: string, program: string): string[] {
  const missing = /^\s*(\S+) => not found/m.exec(text)?.[1];
  if (missing !== undefined) {
    const message = `cannot bring ${program} into a helper image: because its library ${missing} is not there`;
    throw new BackupError('ProgramMissing', message, { hint: 'install the package of that program again' });
  }
  return [...text.matchAll(/^\s*(?:\S+ => )?(\/.+) \(0x[0-9a-f]+\)$/gm)].map(([, path = '']) => path);
}
