/** Restores a volume in place in a process of its own, so that a test can kill it: the input is JSON on the command line. */
import { findTools } from '../../src/pipeline/tools.js';
import { replaceVolume, type VolumeReplaceInput } from '../../src/sources/volume/replace.js';

const input = JSON.parse(process.argv[2] ?? '') as Omit<VolumeReplaceInput, 'tools' | 'signal' | 'onProgress' | 'log'>;
await replaceVolume({
  ...input,
  tools: await findTools(),
  signal: new AbortController().signal,
  onProgress: () => undefined,
  log: (line) => console.log(line),
});
