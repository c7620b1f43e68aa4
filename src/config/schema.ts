import { z } from 'zod';
import { backupConfigSchema } from './backup-config-schema.js';
import { databaseSchema, volumeSchema } from './target-schema.js';

/** The whole file. Entries are checked one by one, since an error in one is that target's alone. */
export const fileSchema = z.strictObject({
  backup_targets: z.array(databaseSchema).nullish(),
  volume_backups: z.array(volumeSchema).nullish(),
  backup_config: backupConfigSchema,
});
