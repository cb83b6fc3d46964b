import { resolve } from 'node:path';
import { z } from 'zod';
import { AppError } from './domain/errors.ts';

const counted = z.enum(['calendar', 'workdays']).default('calendar');
/** An empty line in `.env` means the same as no line. */
const empty = (value: unknown): unknown => (value === '' ? undefined : value);
const list = z.preprocess(empty, z.string().default('').transform((value) => value.split(',').map((each) => each.trim()).filter((each) => each !== '')));

/** Every setting there is, once: key, shape, default. `.env.example` lists the same keys (a test keeps them equal). */
export const ConfigSchema = z.object({
  PORT: z.preprocess(empty, z.coerce.number().int().min(0).max(65_535).default(3000)),
  HOST: z.preprocess(empty, z.string().default('127.0.0.1')),
  PUBLIC_URL: z.preprocess(empty, z.url().optional()),
  DATA_DIR: z.preprocess(empty, z.string().default('var')),
  DATABASE_URL: z.preprocess(empty, z.url({ protocol: /^postgres(ql)?$/ }).optional()),
  DATABASE_SCHEMA: z.preprocess(empty, z.string().regex(/^[a-z_][a-z0-9_]{0,40}$/).default('jiban')),
  REDIS_URL: z.preprocess(empty, z.url({ protocol: /^rediss?$/ }).optional()),
  REDIS_PREFIX: z.preprocess(empty, z.string().max(64).default('jiban:')),
  CITY_DIR: z.preprocess(empty, z.string().default('config/beijing')),
  MODEL_DIR: z.preprocess(empty, z.string().default('models')),
  SEGMENTER: z.preprocess(empty, z.enum(['jieba-rs', 'nodejieba']).default('jieba-rs')),
  UNDERSTAND_WORKERS: z.preprocess(empty, z.coerce.number().int().min(1).max(64).optional()),
  UTC_OFFSET_MINUTES: z.preprocess(empty, z.coerce.number().int().min(-720).max(840).default(480)),
  DEADLINE_MODE_H24: z.preprocess(empty, counted),
  DEADLINE_MODE_D7: z.preprocess(empty, counted),
  DEADLINE_MODE_D15: z.preprocess(empty, counted),
  FOLLOW_UP_DAYS: z.preprocess(empty, z.coerce.number().min(0.001).max(90).default(3)),
  OBJECTION_WORKDAYS: z.preprocess(empty, z.coerce.number().int().min(1).max(10).default(1)),
  ALLOWED_ORIGINS: list,
  TRUST_PROXY: list,
  LOG_LEVEL: z.preprocess(empty, z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info')),
});

export type Config = Readonly<z.infer<typeof ConfigSchema>>;

/**
 * Reads and checks the settings; relative folders count from `root`.
 * @throws AppError `config.invalid`, naming every key that is wrong
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, root: string): Config {
  const parsed = ConfigSchema.safeParse(env);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`).join('\n');
    throw new AppError('config.invalid', `the settings (environment or .env) are not usable:\n${wrong}`);
  }
  const { data } = parsed;
  return { ...data, DATA_DIR: resolve(root, data.DATA_DIR), CITY_DIR: resolve(root, data.CITY_DIR), MODEL_DIR: resolve(root, data.MODEL_DIR) };
}
