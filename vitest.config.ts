import { defineConfig } from 'vitest/config';
import LongestFirst from './test/support/longest-first.js';

const MINUTE_MS = 60_000;

/** They leave nothing that another could find, so files share their processes: that takes half the time. */
const unitTests = {
  test: {
    name: 'unit',
    include: ['test/unit/**/*.test.ts'],
    isolate: false,
    testTimeout: MINUTE_MS, // for busy machines
  },
};

/** Tests on real servers, which test/support/global-setup.ts starts once for each of these projects. */
function realParts(name: string, include: string[], timeoutMs: number) {
  return {
    test: {
      name,
      include,
      globalSetup: ['test/support/global-setup.ts'],
      // Processes, since tests start children that must die with them, and change environment and directory.
      pool: 'forks' as const,
      maxWorkers: 2,
      sequence: { groupOrder: 1 }, // after the unit tests, which may have more workers
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      teardownTimeout: MINUTE_MS,
      // Workers are known to be ready by a line of level info; and the AWS SDK's advice about Node is for its users.
      env: { LOG_LEVEL: 'info', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    },
  };
}

/** The stack of docker-compose.yml, which test/support/compose-setup.ts brings up once: one file after the other uses it. */
const composeStack = {
  test: {
    name: 'compose',
    include: ['test/compose/**/*.test.ts'],
    globalSetup: ['test/support/compose-setup.ts'],
    pool: 'forks' as const,
    maxWorkers: 1,
    sequence: { groupOrder: 2 },
    testTimeout: 5 * MINUTE_MS,
    hookTimeout: 5 * MINUTE_MS,
    teardownTimeout: 5 * MINUTE_MS,
  },
};

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/support/count-reporter.ts'],
    projects: [
      unitTests,
      realParts('real', ['test/{contract,workflows,e2e}/**/*.test.ts'], 5 * MINUTE_MS),
      composeStack,
      realParts('long', ['test/long/**/*.test.ts'], 60 * MINUTE_MS),
    ],
  },
});
