import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/** Where the build leaves the workflows, as the worker loads them: beside this file. */
export const BUNDLE_PATH = fileURLToPath(new URL('./workflow-bundle.js', import.meta.url));

/** `npm run build` runs this: a worker that bundles at its start takes seconds longer, and may bundle other code than was tested. */
async function writeBundle(): Promise<void> {
  const workflowsPath = fileURLToPath(new URL('./index.js', import.meta.url));
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  await writeFile(BUNDLE_PATH, code);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeBundle();
