// Takes from the package-lock.json of this folder what it should not hold: addresses of anybody's page (the funding fields,
// which nothing reads), and what npm writes for machines that a registry has nothing for, and `npm ci` then misses.
import { readFileSync, writeFileSync } from 'node:fs';

const LOCK = 'package-lock.json';

const lock = JSON.parse(readFileSync(LOCK, 'utf8'));
for (const entry of Object.values(lock.packages)) {
  delete entry.funding;
  for (const name of Object.keys(entry.optionalDependencies ?? {}))
    if (!Object.keys(lock.packages).some((path) => path.endsWith(`node_modules/${name}`))) delete entry.optionalDependencies[name];
}
writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
