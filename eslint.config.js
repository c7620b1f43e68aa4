import tseslint from 'typescript-eslint';

/** Forbids imports in some files; each rule says why. */
function forbid(files, patterns, ignores = []) {
  return { files, ignores, rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] } };
}

const EXECA = {
  group: ['execa'],
  message: 'src/pipeline/process* is the one place that starts programs: they must die with this process.',
};
const AWS = { group: ['@aws-sdk/*'], message: 'src/destinations/s3* is the one place that knows S3.' };
const TEMPORAL = {
  group: ['@temporalio/*'],
  message:
    'Sources, destinations, pipelines and steps take an AbortSignal and a progress callback; Temporal calls them from activities.',
};

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.tools/'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['*.config.js'] }, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Workflow proxies and test titles pass functions without `this`.
      '@typescript-eslint/unbound-method': 'off',
      // Settled promises that nobody looks at hide failures; `void` says that one is meant.
      '@typescript-eslint/no-floating-promises': 'error',
    },
  },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
  forbid(
    ['src/**/*.ts'],
    [EXECA, AWS],
    ['src/pipeline/process*.ts', 'src/pipeline/program.ts', 'src/destinations/s3*.ts'],
  ),
  forbid(['src/pipeline/**/*.ts'], [AWS, TEMPORAL]),
  forbid(['src/destinations/s3*.ts'], [EXECA, TEMPORAL]),
  forbid(
    [
      'src/sources/**/*.ts',
      'src/drill/**/*.ts',
      'src/steps/**/*.ts',
      'src/config/**/*.ts',
      'src/destinations/local*.ts',
      'src/*.ts',
    ],
    [EXECA, AWS, TEMPORAL],
    ['src/worker.ts', 'src/client.ts'],
  ),
  forbid(
    ['src/domain/**/*.ts'],
    [{ regex: '^(?!\\./)', message: 'The domain is pure: no I/O, no clock, no packages; workflows bundle it.' }],
  ),
  forbid(
    ['src/workflows/**/*.ts'],
    [
      {
        regex: '^(?!\\./|\\.\\./domain/|@temporalio/(workflow|common)$|\\.\\./activities/)',
        message:
          'Workflows see domain values, activity types and @temporalio/workflow; anything else breaks or bloats their bundle.',
      },
      {
        group: ['../activities/*'],
        allowTypeImports: true,
        message: 'Activities are reached by proxy: import their types only.',
      },
    ],
  ),
);
