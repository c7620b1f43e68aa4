import { isMountedVolume, isNamedVolume, type Compression, type Target } from '../domain/target.js';
import { compressor, decompressor } from '../pipeline/compression.js';
import { missingProgram } from '../pipeline/program.js';
import { requireGnuTar, requirePsql, type Tool } from '../pipeline/tools.js';
import type { Runtime } from '../runtime.js';
import type { Check } from './check.js';

/** The programs that the configured targets need. Which pg_dump a server needs is seen where that server is asked. */
export function toolChecks({ config, tools }: Runtime): Check[] {
  const isAny = (test: (target: Target) => boolean) => config.targets.some(test);
  const compressions = [...new Set(config.targets.map(({ compression }) => compression))];
  const plain = (name: 'setpriv' | 'tar' | 'docker') => toolCheck(name, () => tools[name] ?? missing(name));
  // A helper image of its own has a tar of its own.
  const tar = isAny(isMountedVolume) ? toolCheck('tar', () => requireGnuTar(tools)) : plain('tar');
  return [
    plain('setpriv'),
    ...compressions.map((compression) => compressorCheck(tools, compression)),
    ...(isAny(({ kind }) => kind === 'database')
      ? [pgDumpCheck(tools), toolCheck('psql', () => requirePsql(tools))]
      : []),
    ...(isAny(({ kind }) => kind === 'volume') ? [tar] : []),
    ...(isAny(isNamedVolume) ? [plain('docker')] : []),
  ];
}

function toolCheck(subject: string, find: () => Tool): Check {
  return {
    check: 'tool',
    subject,
    run: async () => {
      const { path, version } = find();
      return Promise.resolve(`${version} (${path})`);
    },
  };
}

function compressorCheck(tools: Runtime['tools'], compression: Compression): Check {
  return {
    check: 'tool',
    subject: compression,
    run: () => {
      const programs = [compressor(tools, compression, 1).file, decompressor(tools, compression).file];
      return Promise.resolve(`by ${[...new Set(programs)].join(' and ')}`);
    },
  };
}

function pgDumpCheck({ pgDumps }: Runtime['tools']): Check {
  return {
    check: 'tool',
    subject: 'pg_dump',
    run: () => {
      if (pgDumps.length === 0) missing('pg_dump');
      return Promise.resolve(pgDumps.map(({ version, path }) => `${version} (${path})`).join(', '));
    },
  };
}

function missing(name: string): never {
  throw missingProgram(name);
}
