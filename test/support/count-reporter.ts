import type { Reporter, TestModule, TestRunEndReason, SerializedError } from 'vitest/node';

/** Ends the output with `N passed, N failed` on a line of its own, for programs that read it. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[], reason: TestRunEndReason): void {
    let passed = 0;
    let failed = errors.length;
    for (const module of modules) {
      // A file that cannot be loaded, or a hook that failed, has tests that never ran and so failed nowhere else.
      failed += module.errors().length;
      for (const suite of module.children.allSuites()) failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        // A test that was to run and did not (`pending`: the run was broken off) has not passed.
        if (state === 'failed' || state === 'pending') failed++;
      }
    }
    if (reason !== 'passed' && failed === 0) failed = 1;
    process.stdout.write(`${String(passed)} passed, ${String(failed)} failed\n`);
  }
}
