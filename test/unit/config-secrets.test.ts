import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../src/config/secrets.js';

const SECRET = `p$s: /%+"\\'ü&=~~~?`; // its base64 has a + and padding
const redact = createRedactor(() => [SECRET]);

describe('the redactor', () => {
  const forms = {
    plain: SECRET,
    'in a URL': encodeURIComponent(SECRET),
    'in a URL with small letters': encodeURIComponent(SECRET).replaceAll(/%../g, (code) => code.toLowerCase()),
    'in a URL, leniently': encodeURI(SECRET),
    'in a form': encodeURIComponent(SECRET).replaceAll('%20', '+'),
    'in JSON': JSON.stringify(SECRET),
    'in JSON within JSON': JSON.stringify({ a: JSON.stringify({ b: SECRET }) }),
    'in a pgpass file': SECRET.replaceAll(/[\\:]/g, '\\$&'),
    'in SQL': SECRET.replaceAll("'", "''"),
    'in base64': Buffer.from(SECRET).toString('base64'),
    'in base64 without padding': Buffer.from(SECRET).toString('base64').replaceAll('=', ''),
    'in base64 for URLs': Buffer.from(SECRET).toString('base64url'),
  };

  it.each(Object.entries(forms))('masks a secret %s', (_form, text) => {
    const redacted = redact(`before ${text} after ${text}`);
    expect(redacted).toMatch(/^before .*\*\*\*.* after .*\*\*\*.*$/);
    expect(redacted).not.toContain('p$s');
    expect(redacted).not.toContain('p%24');
    expect(redacted).not.toContain(Buffer.from(SECRET).toString('base64').slice(0, 8));
  });

  it('leaves nothing of a secret that holds another one', () => {
    expect(createRedactor(() => ['secret', 'secret-longer'])('secret-longer secret')).toBe('*** ***');
  });

  it('leaves short texts and everything else alone', () => {
    expect(createRedactor(() => ['abc', '', 'abcd'])('abc abcd abce YWJj')).toBe('abc *** abce YWJj');
    expect(createRedactor(() => [])('anything')).toBe('anything');
  });

  it('takes secrets for text, not for patterns', () => {
    expect(createRedactor(() => ['a.*b|(', '[x]$'])('aXXb a.*b|( [x]$ x')).toBe('aXXb *** *** x');
  });

  it('learns what becomes known later, and forgets what is none any more', () => {
    let secrets = ['first'];
    const later = createRedactor(() => secrets);
    expect(later('first second')).toBe('*** second');
    secrets = ['second'];
    expect(later('first second')).toBe('first ***');
    secrets = [];
    expect(later('first second')).toBe('first second');
  });

  it('leaves names in sight that a secret is, or is part of', () => {
    const names = ['temporal', 'temporal_visibility', 'mordor'];
    const named = createRedactor(
      () => ['temporal', 'mordor-2941'],
      () => names,
    );
    expect(named('temporal: succeeded temporal_visibility_1.sql.gz')).toBe(
      'temporal: succeeded temporal_visibility_1.sql.gz',
    );
    expect(named('password mordor-2941 of mordor')).toBe('password *** of mordor');
    names.length = 0;
    expect(named('temporal, mordor')).toBe('***, mordor');
  });

  it('takes a secret that is no well-formed text', () => {
    expect(createRedactor(() => ['half\ud800'])('half\ud800!')).toBe('***!');
  });
});
