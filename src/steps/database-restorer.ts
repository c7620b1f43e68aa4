import { availableParallelism } from 'node:os';
import { BackupError } from '../domain/errors.js';
import type { Restored, RestoreParts } from '../domain/restore-plan.js';
import { parseSchemaName, parseTableName } from '../domain/table-names.js';
import type { DatabaseTarget } from '../domain/target.js';
import type { Runtime } from '../runtime.js';
import { findDatabaseOid, sweepDatabases } from '../sources/postgres/leavings.js';
import { theRoles } from '../sources/postgres/preparation.js';
import { findFinishedSwap, requireRestorable, restoreDatabase, type Restorable } from '../sources/postgres/restore.js';
import { withSignOfLife } from '../sources/postgres/sign-of-life.js';
import type { RoleScript } from '../sources/postgres/role-script.js';
import type { WantedTables } from '../sources/postgres/table-choice.js';
import type { ConfiguredTarget } from './configured-target.js';
import { databaseFacts } from './database-facts.js';
import { keptCommands, keptSuffixes, replacedFacts } from './kept-database.js';
import { hasParts } from './restore-choice.js';
import { noted } from './restore-journal.js';
import { makingRoles, planMissingRoles } from './restore-roles.js';
import type { Restorer, RestorerInput } from './restorer.js';

/** More sessions than that are felt by whoever else uses the server. */
const MOST_JOBS = 4;

export function databaseRestorer(runtime: Runtime, input: RestorerInput): Restorer {
  const { manifest, into, noOwner, withRoles, destinations, configured, attemptToken, restoreToken, journal } = input;
  const jobs = input.jobs ?? Math.min(MOST_JOBS, availableParallelism());
  const { config, tools } = runtime;
  const target = requireConnection(config.file, manifest.target, configured);
  const password = config.passwordOf(target);
  const common = {
    ...{ target: target.name, connection: target.connection, tools, into, manifest, noOwner, jobs },
    ...(password !== undefined && { password }),
    ...(hasParts(input.parts) && { wanted: wantedTables(input.parts) }),
    ...(input.inPlace && {
      replaces: { restoreToken, suffixes: keptSuffixes(input.startedAt, config.backup.timezone) },
    }),
  };
  const keptTold = (keptAs: string | undefined) =>
    keptAs === undefined ? {} : { keptAs, keptCommands: keptCommands({ into, keptAs, user: target.connection.user }) };
  let server: Restorable | undefined;
  let script: RoleScript | undefined;
  return {
    async plan(step) {
      server = await requireRestorable({ ...common, makesRoles: withRoles, signal: step.signal });
      if (withRoles) script = await planMissingRoles(runtime, { manifest, server, destinations }, step);
      const facts = databaseFacts({
        ...{ manifest, server, connection: target.connection, madeRoles: script?.roles, noOwner },
      });
      const { replaces, warnings } = replacedFacts(into, server);
      return { ...facts, ...(replaces && { replaces }), warnings: [...facts.warnings, ...warnings] };
    },
    async restore(artifactPath, { signal, onProgress, log }) {
      const database = server?.entry ?? target.connection.database;
      const login = { ...common, connection: { ...target.connection, database }, signal };
      if (script !== undefined) log(`making ${theRoles(script.roles)}`);
      const told = (warnings: string[]): Restored => {
        if (script === undefined) return { warnings };
        return { warnings: [...script.warnings, ...warnings], madeRoles: script.roles };
      };
      const onWhole = (id: string, warnings: string[]) => journal.note({ whole: { id, restored: told(warnings) } });
      const { warnings, keptAs } = await makingRoles(login, script, async () => {
        if (script !== undefined) await journal.note({ madeRoles: script.roles });
        let bytesDone = 0;
        const counted = (bytes: number) => onProgress((bytesDone = bytes));
        const onAlive = () => onProgress(bytesDone);
        return withSignOfLife({ ...login, attemptToken, onAlive }, () =>
          restoreDatabase({ ...common, attemptToken, artifactPath, signal, onProgress: counted, onWhole }),
        );
      });
      return { ...told(warnings), ...keptTold(keptAs) };
    },
    async findDone({ signal }) {
      const restored = await noted(journal, async (id) => (await findDatabaseOid(common, into)) === id);
      if (!input.inPlace) return restored;
      const keptAs = await findFinishedSwap({ ...common, restoreToken, signal });
      return keptAs === undefined ? undefined : { warnings: [], ...restored, ...keptTold(keptAs) };
    },
    async sweep({ log }) {
      const dropped = await sweepDatabases({ ...common, restoreToken, roles: journal.known.madeRoles ?? [] });
      if (dropped.length > 0) log(`dropped ${dropped.join(', ')}, which an attempt before had not finished`);
    },
  };
}

function wantedTables({ tables = [], schemas = [] }: RestoreParts): WantedTables {
  return { tables: tables.map(parseTableName), schemas: schemas.map(parseSchemaName) };
}

/** The server to restore to is the one of the target's entry, which has to be usable. */
function requireConnection(file: string, name: string, configured: ConfiguredTarget | undefined): DatabaseTarget {
  const byHand = 'or restore by hand: gunzip -c FILE | psql, into an empty database';
  const cannot = (reason: string, hint: string) =>
    new BackupError('ConfigInvalid', `cannot restore ${name}: because ${reason}`, { hint: `${hint}, ${byHand}` });
  if (configured === undefined)
    throw cannot(`${file} has no entry for it, which names the server`, 'add its entry again');
  const { state } = configured;
  if (state.is === 'disabled') throw cannot(`its entry in ${file} is disabled`, 'set `enabled: true` there');
  if (state.is === 'refused') throw cannot(`its entry has an error:\n${state.error}`, 'correct it');
  if (state.target.kind === 'database') return state.target;
  throw cannot(`its entry in ${file} is that of a volume now`, 'add one for the database under another name');
}
