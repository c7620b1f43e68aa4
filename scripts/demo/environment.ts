/** What would win over the demo's own stack.env, or lead its programs to other servers. */
const FOREIGN = /^(AWS_(?!CA_BUNDLE$)|TEMPORAL_|PG[A-Z]|POSTGRES_|S3_|BACKUPS_FILE$|LOG_LEVEL$)/;

/**
 * Makes this process's environment, which all that it starts inherits, one of a machine without settings of its own, and
 * `directory` its place for temporary files. Returns the names of what was removed.
 */
export function isolateEnvironment(directory: string): string[] {
  const removed = Object.keys(process.env).filter((name) => FOREIGN.test(name));
  for (const name of removed) delete process.env[name];
  process.env['TMPDIR'] = directory;
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'; // no concern of who looks at a demo
  // Everything is on this machine: no proxy can reach it.
  process.env['no_proxy'] = [process.env['no_proxy'], '127.0.0.1'].filter(Boolean).join(',');
  return removed;
}
