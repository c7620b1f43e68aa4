/** Why there is nothing to be said about an artifact: what is needed to check it is not here. */
export class Unverifiable extends Error {}

/** Why an artifact does not restore to what it was made from. */
export class DrillFailed extends Error {}
