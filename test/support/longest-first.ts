import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, in this order: one that came last would keep one processor busy while the other has nothing to do. */
const LONGEST = [
  'e2e/bench',
  'e2e/demo',
  'e2e/hosts',
  'e2e/schedule',
  'contract/commit-crash',
  'e2e/crash-commit',
  'contract/postgres-properties',
  'e2e/cli-verify',
  'e2e/zombie',
  'e2e/live-run',
  'e2e/faults-s3',
  'contract/postgres-restore',
  'e2e/cli-doctor',
  'e2e/no-docker',
  'e2e/run',
].map((name) => `/test/${name}.test.ts`);

/** Without results of an earlier run, as in CI, files would come by their size, which says little about their time. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files);
    const place = ({ moduleId }: TestSpecification) => {
      const index = LONGEST.findIndex((name) => moduleId.endsWith(name));
      return index === -1 ? LONGEST.length : index;
    };
    return others.sort((one, other) => place(one) - place(other));
  }
}
