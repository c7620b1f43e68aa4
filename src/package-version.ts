import packageJson from '../package.json' with { type: 'json' };

/** The version of the package that this file was built from. */
export const PACKAGE_VERSION = packageJson.version;
