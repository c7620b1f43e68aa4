import 'vitest';

/** The servers that test/support/global-setup.ts starts once for a whole run; tests get them with `inject`. */
export interface ProvidedTemporal {
  address: string;
}

export interface ProvidedS3 {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
}

export interface ProvidedPostgres {
  host: string;
  port: number;
  user: string;
  password: string;
  /** Of the server; `bin` is the directory of the same major's programs. */
  major: number;
  bin: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where no schedule fires. */
    temporal: ProvidedTemporal;
    /** Where schedules fire: each namespace costs much more there. */
    schedulingTemporal: ProvidedTemporal;
    s3: ProvidedS3;
    postgres: ProvidedPostgres;
    /** Of the workflows of this checkout. */
    workflowBundle: { codePath: string };
  }
}
