import { createHash, type Hash } from 'node:crypto';
import { RowSum } from './row-digest.js';

/** Large objects of a dump as two multisets: what makes, owns and describes them, and their bytes. */
export class LargeObjectSum {
  /** Statement by statement: newer majors group large objects in other ways each time. */
  readonly definitions = new RowSum();
  /** A row for each, of its number and a hash of its bytes. */
  readonly contents = new RowSum();
  #open: { number: string; bytes: Hash } | undefined;

  /** `text` as bytes of latin1. */
  statement(text: string): void {
    const [, verb, argument = ''] = /^SELECT pg_catalog\.(lo_open|lowrite|lo_close)\((.*)\);$/s.exec(text) ?? [];
    if (verb === 'lo_open') this.#open = { number: argument, bytes: createHash('sha256') };
    else if (verb === 'lowrite') this.#open?.bytes.update(argument, 'latin1');
    else if (verb === 'lo_close') this.#close();
    else if (text !== 'BEGIN;' && text !== 'COMMIT;') this.definitions.add(Buffer.from(text, 'latin1'));
  }

  #close(): void {
    if (this.#open === undefined) return;
    const { number, bytes } = this.#open;
    this.#open = undefined;
    this.contents.add(Buffer.from(`${number} ${bytes.digest('hex')}`));
  }
}
