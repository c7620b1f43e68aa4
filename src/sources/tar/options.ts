/**
 * Options of GNU tar for both ways.
 * `--numeric-owner`: the ids of the volume's users are not those of the helper's or of a restoring host's users.
 * `--xattrs`, `--acls`: `user.*`, file capabilities and ACLs; a tar without support for them passes over them.
 * A host's SELinux labels are that host's: a restored file gets those of the place where it is.
 */
const COMMON_OPTIONS = ['--numeric-owner', '--acls', '--xattrs', '--xattrs-exclude=security.selinux'];

/**
 * `--format=posix`: ids, sizes and names of any length, times below the second, extended attributes; every tar of today
 * reads it. Without `atime` and `ctime`, which nothing restores, and with a fixed `exthdr.name` the headers are smaller
 * and the same for the same files. `--sparse`: holes stay holes. Not `--one-file-system`: what users of the volume see in
 * it belongs to it.
 */
export const CREATE_OPTIONS = [
  ...['--create', '--file=-', ...COMMON_OPTIONS],
  ...['--format=posix', '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime', '--sparse'],
];

/** A file from the future is no matter of a restore. By itself tar brings back `user.*` only, so that file capabilities would be lost. */
const EXTRACT_OPTIONS = [
  ...['--extract', '--file=-', ...COMMON_OPTIONS],
  ...['--xattrs-include=*', '--warning=no-timestamp'],
];

/** For root. `--same-permissions`: with setuid, setgid and sticky bits, whatever the umask is. */
export const EXTRACT_ALL_OPTIONS = [...EXTRACT_OPTIONS, '--same-owner', '--same-permissions'];

/** For anybody else, who may give no file to another user; directories that he may not write to are closed at the end. */
export const EXTRACT_OWN_OPTIONS = [
  ...[...EXTRACT_OPTIONS, '--no-same-owner', '--same-permissions'],
  '--delay-directory-restore',
];

/** English messages in ASCII, which `readable` reads; nothing of a user's own settings. */
export const TAR_ENVIRONMENT = { LC_ALL: 'C', LANG: 'C' };
