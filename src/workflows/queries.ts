import { defineQuery } from '@temporalio/workflow';
import { RUN_PROGRESS_QUERY, TARGET_PHASE_QUERY, type RunProgress, type TargetPhase } from '../domain/steps.js';

export const runProgressQuery = defineQuery<RunProgress>(RUN_PROGRESS_QUERY);
export const targetPhaseQuery = defineQuery<TargetPhase>(TARGET_PHASE_QUERY);
