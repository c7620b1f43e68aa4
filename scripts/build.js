// `npm run build`: each program in one file, or few, with the packages that it needs, since reading hundreds of files is most of what
// `backupctl --version` would do, and the workflows as the worker loads them: a worker that bundles at its start takes seconds
// longer, and may bundle other code than was tested. Types are looked at by `npm run check`.
import { chmod, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
// Packages that are CommonJS ask for what Node has by `require`.
const REQUIRE =
  "import { createRequire as createRequire_ } from 'node:module'; const require = createRequire_(import.meta.url);";

/** @param {string} entry @param {import('esbuild').BuildOptions} options */
function program(entry, options) {
  return build({
    absWorkingDir: root,
    entryPoints: [`src/${entry}.ts`],
    outbase: `${root}src`,
    outdir: `${root}dist`,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    keepNames: true, // errors are known by the names of their classes
    banner: { js: REQUIRE },
    logLevel: 'warning',
    ...options,
  });
}

async function workflows() {
  const { code } = await bundleWorkflowCode({
    workflowsPath: `${root}src/workflows/index.ts`,
    logger: new DefaultLogger('WARN'),
  });
  await writeFile(`${root}dist/workflow-bundle.js`, code);
}

await rm(`${root}dist`, { recursive: true, force: true });
await Promise.all([
  // In parts, since a command loads what it needs.
  program('client', { splitting: true, chunkNames: 'client/[name]-[hash]' }),
  // It starts threads of files of its own, and has a native part.
  program('worker', { external: ['@temporalio/*'] }),
  program('worker/health-check', {}),
]);
await workflows();
await chmod(`${root}dist/client.js`, 0o755);
