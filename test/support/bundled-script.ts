import { build } from 'esbuild';

// Packages that are CommonJS ask for what Node has by `require`.
const REQUIRE =
  "import { createRequire as createRequire_ } from 'node:module'; const require = createRequire_(import.meta.url);";

const made = new Map<string, Promise<string>>();

/** The code of a script with all that it imports, for those that are started many times: tsx takes longer than most of them do. */
export function bundledScript(path: string): Promise<string> {
  const known = made.get(path) ?? bundle(path);
  made.set(path, known);
  return known;
}

async function bundle(path: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [path],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    keepNames: true,
    banner: { js: REQUIRE },
    logLevel: 'warning',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`esbuild made nothing of ${path}`);
  return file.text;
}
