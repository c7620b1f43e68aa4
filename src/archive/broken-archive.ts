/** The bytes are no whole archive; the message says where and why, for use after "because". */
export class BrokenArchive extends Error {}
