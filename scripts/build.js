// `npm run build`: each program in one file, or few, with the packages that it needs, since reading hundreds of files is most of what
// `backupctl --version` would do, and the workflows as the worker loads them: a worker that bundles at its start takes seconds
// longer, and may bundle other code than was tested. Types are looked at by `npm run check`.
import { chmod, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { build, transform } from 'esbuild';

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
  await writeFile(`${root}dist/workflow-bundle.js`, await slimmed(code));
}

/**
 * A worker holds this text several times, as it does its source map: without comments and the text of the sources it is a third as long, and
 * takes half of that again, since characters beyond ASCII double the room of each one. Where errors come from is still told.
 * @param {string} code
 */
async function slimmed(code) {
  const slim = await transform(code, {
    minifyWhitespace: true,
    legalComments: 'none',
    sourcemap: 'external',
    sourcesContent: false,
    target: 'node20.19',
  });
  const map = JSON.stringify({ ...JSON.parse(slim.map), file: 'workflow-bundle.js' });
  return `${slim.code}//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}\n`;
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
