import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildApp } from './app.ts';
import { readConfig } from './config.ts';
import { readEnvironment } from './environment.ts';
import { isAppError } from './domain/errors.ts';
import { buildLogger } from './server/logger.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const STOP_WITHIN_MS = 25_000;

async function main(): Promise<void> {
  const config = readConfig(readEnvironment(root), root);
  const logger = buildLogger({ level: config.LOG_LEVEL });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const app = await buildApp({ config, root, logger, version });
  const url = await app.listen();
  const setup = await app.setupPath();

  // For people at a terminal; the logs beside it are for machines.
  process.stdout.write([
    '', '  Jiban 即办 已启动 / is running', `  居民聊天 resident chat  ${url}/`, `  工作台   desk           ${url}/desk`,
    ...(setup === null ? [] : [`  首次使用：打开这个一次性链接，建立第一个工作人员账号 (one-time link for the first operator)`, `  ${url}${setup}`]),
    `  接口文档 API            ${url}/docs`, '', '',
  ].join('\n'));

  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'server.stopping');
    const late = setTimeout(() => {
      logger.error({}, 'server.stop_timed_out'); // what is still in hand is taken up again after its lease
      process.exit(1);
    }, STOP_WITHIN_MS);
    late.unref();
    app.close().then(() => {
      logger.info({}, 'server.stopped');
      process.exit(0);
    }, (error: unknown) => {
      logger.error({ error: error instanceof Error ? error.stack : String(error) }, 'server.stop_failed');
      process.exit(1);
    });
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('disconnect', () => stop('disconnect')); // started by scripts/run.mjs, which is gone
}

main().catch((error: unknown) => {
  process.stderr.write(isAppError(error) ? `\nJiban cannot start 无法启动: ${error.code}\n${error.message}\n\n` : `\nJiban cannot start 无法启动\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n\n`);
  process.exit(1);
});
