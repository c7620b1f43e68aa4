import { executeChild, proxyActivities, workflowInfo } from '@temporalio/workflow';

export interface EmptyRunInput {
  count: number;
  /** Children at once. */
  lanes: number;
}

const { nothing } = proxyActivities<{ nothing(input: object): Promise<object> }>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '1 minute',
});

/** What Temporal alone takes for a run: a child for each target with two activities that do nothing. */
export async function EmptyRun({ count, lanes }: EmptyRunInput): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < count; i = next++) {
      const workflowId = `${workflowInfo().workflowId}/${String(i)}`;
      await executeChild(EmptyTarget, { workflowId, args: [{ target: `tiny-${String(i)}` }] });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

export async function EmptyTarget(input: object): Promise<object> {
  return nothing(await nothing(input));
}
