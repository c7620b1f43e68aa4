import { BackupError } from '../domain/errors.js';
import {
  isMountedVolume,
  isNamedVolume,
  type DatabaseTarget,
  type GlobalsTarget,
  type MountedVolumeTarget,
  type NamedVolumeTarget,
  type ServerLogin,
} from '../domain/target.js';
import type { Runtime } from '../runtime.js';
import { docker, inspectObject } from '../sources/docker/docker.js';
import { checkMounted } from '../sources/directory/check.js';
import { enterGlobals } from '../sources/postgres/globals-login.js';
import { checkDatabase } from '../sources/postgres/check.js';
import { checkVolume } from '../sources/volume/check.js';
import type { Check } from './check.js';

/** Whether each enabled target of this host could be captured now; nothing is made, above all no volume. */
export function targetChecks(runtime: Runtime): Check[] {
  const { backup, host } = runtime.config;
  const targets = runtime.config.targets.filter((target) => target.host === host);
  const databases = targets.filter((target) => target.kind === 'database');
  const volumes = targets.filter(isNamedVolume);
  const image = backup.helperImage;
  return [
    ...databases.map((target) => databaseCheck(runtime, target)),
    ...runtime.config.globals.filter((target) => target.host === host).map((target) => globalsCheck(runtime, target)),
    ...(volumes.length === 0 ? [] : [engineCheck()]),
    ...(volumes.length === 0 || image === undefined ? [] : [helperImageCheck(image)]),
    ...volumes.map(volumeCheck),
    ...targets.filter(isMountedVolume).map(mountedCheck),
  ];
}

function databaseCheck({ config, tools }: Runtime, target: DatabaseTarget): Check {
  const run = async (signal: AbortSignal) => {
    const { name, connection } = target;
    const password = config.passwordOf(target);
    const login = { target: name, connection, tools, signal, ...(password !== undefined && { password }) };
    const { serverVersion, pgDump, findings } = await checkDatabase(login);
    if (findings.length > 0) throw unreadable(name, findings);
    return `PostgreSQL ${serverVersion}, dumped by pg_dump ${pgDump.version}`;
  };
  return { check: 'database', subject: target.name, run };
}

function globalsCheck({ config, tools }: Runtime, { name, logins }: GlobalsTarget): Check {
  const run = async (signal: AbortSignal) => {
    const passwordOf = (login: ServerLogin) => config.passwordOf(login);
    const { login, mayReadPasswords } = await enterGlobals({ target: name, logins, passwordOf, tools, signal });
    const { user } = login.connection;
    return mayReadPasswords ? `roles, read by ${user}` : `roles without passwords, which ${user} may not read`;
  };
  return { check: 'globals', subject: name, run };
}

function unreadable(target: string, findings: readonly { message: string; hint: string }[]): BackupError {
  const because = findings.map(({ message }) => message).join('; ');
  const hint = findings.map((finding) => finding.hint).join('; ');
  return new BackupError('LoginRefused', `cannot dump all of ${target}: because ${because}`, { hint });
}

function engineCheck(): Check {
  const run = async (signal: AbortSignal) => {
    const { stdout } = await docker({ args: ['version', '--format', '{{.Server.Version}}'], signal });
    return `Docker engine ${stdout.trim()}`;
  };
  return { check: 'docker', subject: 'engine', run };
}

function helperImageCheck(image: string): Check {
  const run = async () => {
    if ((await inspectObject('image', image)) !== undefined) return 'the engine has it';
    throw new BackupError('NotFound', `cannot use helper_image ${image} yet: because the engine does not have it`, {
      hint: `docker pull ${image}, so that no run depends on a registry`,
    });
  };
  return { check: 'docker', subject: image, run };
}

function volumeCheck({ name, volumeName }: NamedVolumeTarget): Check {
  const run = async () => {
    const { driver, mountpoint, usedBy } = await checkVolume({ volumeName });
    const users = usedBy.length === 0 ? 'used by no running container' : `used by ${usedBy.join(', ')}`;
    return `${volumeName} (${driver}, ${mountpoint}), ${users}`;
  };
  return { check: 'volume', subject: name, run };
}

function mountedCheck({ name, path }: MountedVolumeTarget): Check {
  const run = async () => {
    const { isEmpty } = await checkMounted(name, path);
    return isEmpty ? `${path} is there, and empty: see whether its volume is mounted` : `${path} is there`;
  };
  return { check: 'volume', subject: name, run };
}
