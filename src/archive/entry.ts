export type EntryType = 'file' | 'directory' | 'symlink' | 'hard link' | 'fifo' | 'character device' | 'block device';

/** An entry of an archive. Names and other bytes are text with one character (0 to 255) for each byte: they need not be UTF-8. */
export interface ArchiveEntry {
  /** Relative to the top, which itself is `.`; no `./` before it and no `/` behind it. */
  path: string;
  type: EntryType;
  /** The lowest 12 bits. */
  mode: number;
  uid: number;
  gid: number;
  /** Of a file, its holes included; 0 of all others. */
  sizeBytes: number;
  /** Seconds since 1970 with nine decimals, as `-0.500000000`. */
  modifiedAt: string;
  /** Of a symlink as it is; of a hard link the path of the entry with the content. */
  linkTarget: string;
  /** Of a device: `major:minor`. */
  device: string;
  /** ACLs are among them, as the kernel has them. */
  xattrs: ReadonlyMap<string, Buffer>;
}
