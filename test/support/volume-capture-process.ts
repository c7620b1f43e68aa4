/** Captures a volume in a process of its own, so that a test can kill it: the attempt is JSON on the command line. */
import { findTools } from '../../src/pipeline/tools.js';
import { captureVolume, type VolumeCaptureInput } from '../../src/sources/volume/capture.js';

const attempt = JSON.parse(process.argv[2] ?? '') as Omit<VolumeCaptureInput, 'tools' | 'signal' | 'onProgress'>;
const captured = await captureVolume({
  ...attempt,
  tools: await findTools(),
  signal: new AbortController().signal,
  onProgress: () => undefined,
});
console.log(JSON.stringify(captured));
