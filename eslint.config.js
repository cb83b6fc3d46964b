import tseslint from 'typescript-eslint';
import vue from 'eslint-plugin-vue';

const quiet = {
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'all', ignoreRestSiblings: true }],
  '@typescript-eslint/no-explicit-any': 'error',
  'no-console': 'error',
  eqeqeq: ['error', 'always'],
  'prefer-const': 'error',
  'no-var': 'error',
  'no-warning-comments': ['error', { terms: ['fixme', 'xxx'] }],
};

const typed = {
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false }],
  '@typescript-eslint/only-throw-error': 'error',
  '@typescript-eslint/no-unnecessary-type-assertion': 'error',
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
};

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'var/', 'artifacts/', 'coverage/', 'models/'] },
  {
    files: ['**/*.ts'],
    ignores: ['src/web/**', 'vite.config.ts', 'vitest.*.ts'],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: { ...quiet, ...typed },
  },
  {
    files: ['src/web/**/*.ts', 'src/web/**/*.vue', 'vite.config.ts', 'vitest.*.ts'],
    extends: [tseslint.configs.recommended],
    rules: quiet,
  },
  ...vue.configs['flat/essential'].map((config) => ({ ...config, files: ['src/web/**/*.vue'] })),
  {
    files: ['src/web/**/*.vue'],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: { 'vue/no-v-html': 'error' }, // what a resident wrote is text, never markup
  },
  { files: ['scripts/**/*.mjs', 'src/**/*.js'], extends: [tseslint.configs.recommended], rules: quiet },
  // What runs at a terminal may print.
  { files: ['src/cli/**/*.ts', 'scripts/**/*.mjs', 'bench/**', 'tests/**'], rules: { 'no-console': 'off' } },
);
