export interface MetricDefinition {
  type: 'gauge' | 'counter';
  help: string;
  labels: readonly string[];
}

const TARGET = ['target', 'kind', 'host'];

/** Every metric of ours. Their names are what alert rules and dashboards of users refer to: they do not change. */
export const METRICS = {
  backup_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'Start of the newest run in which the target succeeded, copies included; 0: never.',
    labels: TARGET,
  },
  backup_last_verified_timestamp_seconds: {
    type: 'gauge',
    help: 'When an artifact of the target was last found whole: start of its run, or a later verification of the newest one; 0: never.',
    labels: TARGET,
  },
  backup_last_verification_outcome: {
    type: 'gauge',
    help: 'What verifying the newest artifact of the target came to: 1 for that outcome; absent where nobody did.',
    labels: [...TARGET, 'outcome'],
  },
  backup_restore_duration_seconds: {
    type: 'gauge',
    help: 'How long the last drill of the newest artifact took to restore it.',
    labels: TARGET,
  },
  backup_last_size_bytes: { type: 'gauge', help: 'Size of the newest artifact of the target.', labels: TARGET },
  backup_last_duration_seconds: {
    type: 'gauge',
    help: 'How long capture and copies of the target took in its newest run.',
    labels: TARGET,
  },
  backup_last_outcome: {
    type: 'gauge',
    help: 'What became of the target in its newest run: 1 for that outcome.',
    labels: [...TARGET, 'outcome'],
  },
  backup_last_run_timestamp_seconds: {
    type: 'gauge',
    help: 'Start of the newest run that has ended.',
    labels: ['service'],
  },
  backup_last_run_outcome: {
    type: 'gauge',
    help: 'What became of the newest run that has ended: 1 for that outcome.',
    labels: ['service', 'outcome'],
  },
  backup_runs_total: {
    type: 'counter',
    help: 'Runs that ended since this worker started.',
    labels: ['service', 'outcome'],
  },
  backup_running_targets: {
    type: 'gauge',
    help: 'Targets that this worker is capturing, copying or verifying now.',
    labels: [],
  },
  backup_failed_attempts_total: {
    type: 'counter',
    help: 'Attempts of this worker at a capture, copy or verification that failed, those that a later attempt made good included.',
    labels: ['target', 'step'],
  },
  backup_stalled_attempts_total: {
    type: 'counter',
    help: 'Those of them in which no byte moved for too long.',
    labels: ['target'],
  },
  backup_schedule_missed_total: {
    type: 'counter',
    help: 'Starts of the schedule that Temporal could not make up for in time.',
    labels: ['schedule', 'starts'],
  },
  backup_schedule_skipped_total: {
    type: 'counter',
    help: 'Starts of the schedule that were skipped, since the run before went on.',
    labels: ['schedule', 'starts'],
  },
  backup_schedule_next_timestamp_seconds: {
    type: 'gauge',
    help: 'Next start of the schedule; absent where it is paused.',
    labels: ['schedule', 'starts'],
  },
  backup_schedule_paused: { type: 'gauge', help: '1 where the schedule is paused.', labels: ['schedule', 'starts'] },
  backup_worker_healthy: { type: 'gauge', help: '1 where GET /health would answer 200.', labels: [] },
  backup_metrics_up: {
    type: 'gauge',
    help: '1 where the source of metrics answered; 0: what it told last is shown.',
    labels: ['source'],
  },
  backup_build_info: { type: 'gauge', help: 'The version that runs, as a label.', labels: ['version'] },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;

export interface Sample {
  name: MetricName;
  labels: Record<string, string>;
  value: number;
}
