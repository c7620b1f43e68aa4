import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createS3Destination } from '../../../src/destinations/s3.js';
import { digestFile } from '../../../src/pipeline/digest.js';
import type { BenchCase } from '../bench-case.js';
import { noiseDirectory } from '../data/noise.js';
import { sdkUpload } from '../data/sdk-upload.js';
import { alternate, seconds, shellSeconds } from '../measure.js';
import { median, type Row } from '../row.js';

const MEGABYTES = { full: 450, smoke: 40 };
const MIB = 1024 * 1024;
const SETTINGS = [
  { mebibytes: 8, atOnce: 4 },
  { mebibytes: 16, atOnce: 2 },
  { mebibytes: 16, atOnce: 4 },
  { mebibytes: 16, atOnce: 8 },
  { mebibytes: 64, atOnce: 4 },
];

/** An artifact to S3, proved, against parts of other sizes that the SDK alone sends, more or fewer at once, and against `cp`. */
export const upload: BenchCase = {
  name: 'upload',
  async measure(stage) {
    const { s3, rounds } = stage;
    const megabytes = MEGABYTES[stage.isSmoke ? 'smoke' : 'full'];
    const directory = await noiseDirectory(stage, 'upload', megabytes);
    const from = join(directory, 'noise');
    const facts = await digestFile(from);
    const bucket = 'bench-upload';
    await s3.createBucket(bucket);
    process.env['AWS_ACCESS_KEY_ID'] = s3.accessKeyId;
    process.env['AWS_SECRET_ACCESS_KEY'] = s3.secretAccessKey;
    const { endpoint, region } = s3;
    const destination = createS3Destination({ bucket, endpoint, region, prefix: 'own', forcePathStyle: true });
    const client = s3.client();
    const rate = async (work: () => Promise<unknown>) => megabytes / (await seconds(work));
    const options = { signal: new AbortController().signal, onProgress: () => undefined };
    const sdk = SETTINGS.map(({ mebibytes, atOnce }) => {
      const fixed = { client, bucket, from, sizeBytes: facts.sizeBytes, partBytes: mebibytes * MIB, atOnce };
      const run = () => rate(() => sdkUpload({ ...fixed, key: randomBytes(6).toString('hex') }));
      return [`parts of ${String(mebibytes)} MiB, ${String(atOnce)} at once`, run] as const;
    });
    const samples = await alternate(rounds, {
      own: () => rate(() => destination.putFile(randomBytes(6).toString('hex'), from, facts, options)),
      cp: async () => megabytes / (await shellSeconds('cp noise copy; sync copy; rm copy', {}, directory)),
      ...Object.fromEntries(sdk),
    });
    client.destroy();
    const [fastest = ''] = sdk.map(([name]) => name).sort((one, other) => rateOf(other) - rateOf(one));
    function rateOf(name: string): number {
      return median((samples as Record<string, number[]>)[name] ?? []);
    }
    const own = { what: `upload of ${String(megabytes)} MB`, samples: samples.own, unit: 'MB/s' } as const;
    return [
      {
        ...own,
        reference: {
          name: `fastest of the SDK alone, ${fastest}`,
          samples: (samples as Record<string, number[]>)[fastest] ?? [],
        },
        goal: { of: 'ratio', is: 'at least', value: 0.9 },
        note: sdk.map(([name]) => `${name}: ${rateOf(name).toFixed(0)}`).join('; '),
      },
      { ...own, what: `${own.what}, against the disk`, reference: { name: 'cp and fsync', samples: samples.cp } },
    ] satisfies Row[];
  },
};
