/** Drills a volume's artifact in a process of its own, so that a test can kill it: the input is JSON on the command line. */
import { drillVolume, type DrillVolumeInput } from '../../src/drill/drill-volume.js';
import { findTools } from '../../src/pipeline/tools.js';

const input = JSON.parse(process.argv[2] ?? '') as Omit<DrillVolumeInput, 'tools' | 'signal' | 'onProgress' | 'log'>;
await drillVolume({
  ...input,
  tools: await findTools(),
  signal: new AbortController().signal,
  onProgress: () => undefined,
  log: () => undefined,
});
