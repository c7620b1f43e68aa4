import { describe, expect, it } from 'vitest';
import { hostOf } from '../../src/config/host.js';

describe('the host of a process', () => {
  it('is BACKUP_HOST, and `default` where that is absent or empty', () => {
    expect([{}, { BACKUP_HOST: '' }, { BACKUP_HOST: 'db-2' }].map(hostOf)).toEqual(['default', 'default', 'db-2']);
  });

  it.each(['no/host', ' x', '-x', 'x'.repeat(64)])('is not %j', (name) => {
    expect(() => hostOf({ BACKUP_HOST: name })).toThrow(`cannot work for BACKUP_HOST ${JSON.stringify(name)}: because`);
  });
});
