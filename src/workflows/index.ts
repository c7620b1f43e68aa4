// What the worker offers. By name: with `export *` two files with one same name would drop it silently.
export { BackupRun } from './backup-run.js';
export { BackupPart } from './backup-part.js';
export { BackupTarget } from './backup-target.js';
export { RestoreTarget } from './restore-target.js';
export { VerifyRun } from './verify-run.js';
export { VerifyTarget } from './verify-target.js';
