import { BackupError } from './errors.js';

/** A part that was asked for by name (a path, a table) and that the artifact does not have. */
export class NoSuchPart extends BackupError {
  constructor(message: string, hint: string) {
    super('NotFound', message, { hint });
  }
}
