import { defineConfig } from 'vitest/config';

/** Real Chromium, one file at a time: two browsers beside a model on two cores would measure each other. */
export default defineConfig({
  test: {
    include: ['tests/**/*.browser.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
  },
});
