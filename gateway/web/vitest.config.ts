import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Words of times depend on where one is: tests are in one place.
  test: { environment: 'node', include: ['tests/**/*.test.ts'], env: { TZ: 'Europe/Berlin' } },
});
