import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { inScratchDirectory, removeDirectory } from './scratch-directory.js';

export interface WorkflowBundleFile {
  codePath: string;
  stop: () => Promise<void>;
}

/** The workflows of this checkout as workers load them, made once: it takes seconds. */
export function bundleWorkflows(): Promise<WorkflowBundleFile> {
  return inScratchDirectory('workflows', async (directory) => {
    const workflowsPath = fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url));
    const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
    const codePath = join(directory, 'workflow-bundle.js');
    await writeFile(codePath, code);
    return { codePath, stop: () => removeDirectory(directory) };
  });
}
