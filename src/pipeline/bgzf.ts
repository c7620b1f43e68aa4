/** Of each file that bgzip writes: gzip members with the extra field `BC`, the last one this empty one. */
export const BGZF_END = Buffer.from('1f8b08040000000000ff0600424302001b0003000000000000000000', 'hex');
export const BGZF_MARK = { offset: 12, bytes: Buffer.from('4243', 'hex') };
