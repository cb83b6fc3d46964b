// npm run bundle: one archive that starts on a machine with Node and no network. For this platform; build it where its twin will run.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root, setUp } from './setup.mjs';

setUp({ pages: true });
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const name = `jiban-${version}`;
const staging = mkdtempSync(join(tmpdir(), 'jiban-bundle-'));
const into = join(staging, name);
process.on('exit', () => rmSync(staging, { recursive: true, force: true }));

const SOURCES = [
  'src', 'scripts', 'config', 'docs', 'dist/web', 'models/encoder', 'models/heads', 'models/gazetteer', 'package.json', 'package-lock.json', 'tsconfig.json', 'vite.config.ts',
  '.env.example', '.npmrc', 'README.md', 'README.zh-CN.md', 'ARCHITECTURE.md', 'LICENSE', 'NOTICE',
];
/** Only for a browser, another platform or a graphics card; `npm start` needs none of it. */
const LEFT_OUT = ['onnxruntime-web', 'nodejieba'];
const NOT_NEEDED = /(?:\.map|\.d\.[cm]?ts|\.tsbuildinfo)$|[\\/](?:\.github|__tests__)(?:[\\/]|$)|libonnxruntime_providers_|DirectML\.dll$/;
const onnxHere = join('onnxruntime-node', 'bin', 'napi-v6');

for (const source of SOURCES) {
  if (existsSync(join(root, source))) cpSync(join(root, source), join(into, source), { recursive: true });
}

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const packages = Object.entries(lock.packages)
  .filter(([path, about]) => path !== '' && !about.dev && !about.devOptional && existsSync(join(root, path)) && !LEFT_OUT.some((out) => path === `node_modules/${out}` || path.startsWith(`node_modules/${out}/`)));
for (const [path] of packages) {
  cpSync(join(root, path), join(into, path), {
    recursive: true,
    filter: (from) => {
      const inside = from.slice(join(root, path).length);
      if (/[\\/]node_modules(?:[\\/]|$)/.test(inside)) return false; // a package inside a package has a line of its own
      if (NOT_NEEDED.test(from)) return false;
      const [, after] = from.split(`${onnxHere}${process.platform === 'win32' ? '\\' : '/'}`);
      return after === undefined || `${process.platform}/${process.arch}`.startsWith(after.replaceAll('\\', '/').split('/').slice(0, 2).join('/'));
    },
  });
}
writeFileSync(join(into, 'node_modules', '.jiban-setup.json'), 'bundle'); // start installs nothing
writeFileSync(join(into, 'start.sh'), '#!/bin/sh\n# Needs Node ^20.19 or >= 22.12 and nothing else.\ncd "$(dirname "$0")" && exec node scripts/run.mjs src/main.ts\n');
chmodSync(join(into, 'start.sh'), 0o755);

const archive = join(root, 'dist', `${name}.tar.gz`);
mkdirSync(dirname(archive), { recursive: true });
const tar = spawnSync('tar', ['-czf', `${archive}.part`, '-C', staging, name], { stdio: 'inherit' });
if (tar.status !== 0) throw new Error('tar failed; it must be installed');
renameSync(`${archive}.part`, archive);

const weigh = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).reduce((sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size, 0);
const mb = (bytes) => Math.round(bytes / 1e5) / 10;
console.log(JSON.stringify({ archive, megabytes: mb(statSync(archive).size), unpackedMegabytes: mb(weigh(into)), packages: packages.length, platform: `${process.platform}-${process.arch}` }));
