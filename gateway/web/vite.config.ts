import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';

// Smaller files gain nothing by it.
const MIN_BYTES = 1024;

/** Lays a .br and a .gz beside each file, so that the gateway compresses nothing while it serves. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    writeBundle(options, bundle) {
      for (const name of Object.keys(bundle)) {
        const path = join(options.dir ?? '', name);
        const content = readFileSync(path);
        if (content.length < MIN_BYTES || !/\.(js|css|html|svg)$/.test(name)) continue;
        writeFileSync(`${path}.br`, brotliCompressSync(content));
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}

// Only for `npm run dev`: the gateway that it speaks to, and a token for it while nobody is signed in.
const gateway = process.env['MAILLANE_GATEWAY'] ?? 'http://127.0.0.1:8080';
const token = process.env['MAILLANE_TOKEN'];
const proxy = { target: gateway, ...(token ? { headers: { authorization: `Bearer ${token}` } } : {}) };

export default defineConfig({
  plugins: [react(), tailwindcss(), compressed()],
  server: { proxy: { '/v1': proxy, '/auth': proxy } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What every screen needs of others' code is one file, which changes only with our dependencies.
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: 'vendor', test: /node_modules\/(react|react-dom|react-router|scheduler|@tanstack\/(react-query|query-core))\// }] } },
    },
  },
});
